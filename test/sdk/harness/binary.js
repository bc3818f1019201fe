// The programs under test. `npm test` builds them once; a test file that is run alone builds what it needs.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// root is the folder of the checkout.
export const root = fileURLToPath(new URL('../../..', import.meta.url));
let folder;

// environment is this process's without the settings of the tests: the server refuses variables that look like settings and
// are none.
export function environment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('MAGPIE_')));
}

function build(name, source) {
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), 'magpie-sdk-bin-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
  const path = join(folder, name);
  execFileSync('go', ['build', '-o', path, source], {
    cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { CGO_ENABLED: '0', ...process.env },
  });
  return path;
}

// magpie gives the path of the server's binary: $MAGPIE_BIN, or one that is built now.
export function magpie() {
  process.env.MAGPIE_BIN ||= build('magpie', './cmd/magpie');
  return process.env.MAGPIE_BIN;
}

// aibot gives the path of the example bot.
export function aibot() {
  process.env.MAGPIE_TEST_AIBOT ||= build('aibot', './examples/aibot');
  return process.env.MAGPIE_TEST_AIBOT;
}

// liveroom gives the path of the example of a live room.
export function liveroom() {
  process.env.MAGPIE_TEST_LIVEROOM ||= build('liveroom', './examples/liveroom');
  return process.env.MAGPIE_TEST_LIVEROOM;
}

// nats gives the path of a small NATS server, for tests with two nodes.
export function nats() {
  process.env.MAGPIE_TEST_NATS ||= build('nats', './test/sdk/nats');
  return process.env.MAGPIE_TEST_NATS;
}
