// A throwaway PostgreSQL server.
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start, stop } from './process.js';

const run = promisify(execFile);

// installed gives the folder of PostgreSQL's programs, or undefined if there is none.
export function installed() {
  const holds = (folder) => {
    try {
      return readdirSync(folder).includes('initdb');
    } catch {
      return false;
    }
  };
  const debian = '/usr/lib/postgresql';
  let versions = [];
  try {
    versions = readdirSync(debian).sort((a, b) => b - a).map((version) => join(debian, version, 'bin'));
  } catch { /* not a Debian, or not installed */ }
  return [...versions, ...process.env.PATH.split(':')].find(holds);
}

// PostgreSQL refuses to run as root, so a root gives way to nobody.
async function owner() {
  if (process.getuid() !== 0) return {};
  const id = async (flag) => Number((await run('id', [flag, 'nobody'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { probe.on('listening', resolve); });
  const { port } = probe.address();
  await new Promise((resolve) => { probe.close(resolve); });
  return port;
}

// postgres starts a server and gives its url and a way to end it. Nothing here outlives a crash of the machine, so
// nothing is synced to disk.
export async function postgres() {
  const bin = installed();
  const as = await owner();
  const folder = await mkdtemp(join(tmpdir(), 'magpie-sdk-pg-'));
  if (as.uid) await chown(folder, as.uid, as.gid);
  const data = join(folder, 'data');
  const how = { ...as, cwd: folder, env: { ...process.env, LC_ALL: 'C' } };
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], how);
  const port = await freePort();
  const child = await start('/bin/sh', ['-c', 'exec "$@" 2>&1', 'sh', join(bin, 'postgres'), '-D', data, '-p', String(port),
    '-k', folder, '-h', '127.0.0.1', '-F', '-c', 'max_connections=60', '-c', 'shared_buffers=16MB'],
  { ...how, ready: /ready to accept connections/ });
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`,
    async stop() {
      await stop(child, 'SIGINT');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
