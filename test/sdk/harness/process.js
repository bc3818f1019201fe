// Child processes that a test starts, waits for and ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { environment } from './binary.js';

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// freePort finds a port that nobody listens on.
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// start runs a program and gives its process once it has printed a line that matches, to its standard output or another
// stream. Its standard error is kept as lines in child.log.
export async function start(path, args, { ready, within = 20_000, stream = 'stdout', ...options }) {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(), ...options });
  children.add(child);
  child.log = [];
  child.exited = once(child, 'exit');
  child.exited.then(() => children.delete(child), () => {});
  createInterface(child.stderr).on('line', (line) => {
    child.log.push(line);
    if (process.env.MAGPIE_SDK_TRACE) console.error(line);
  });
  const output = [];
  let timer;
  const found = new Promise((resolve, reject) => {
    const fail = (why) => reject(new Error(`${path} ${args.join(' ')}: ${why}\n${output.concat(child.log).join('\n')}`));
    createInterface(child[stream]).on('line', (line) => {
      output.push(line);
      const match = ready.exec(line);
      if (match) resolve(match);
    });
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(`ended before it was ready (${code ?? signal})`));
    timer = setTimeout(() => fail(`not ready within ${within} ms`), within);
  });
  try {
    child.match = await found;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return child;
}

// stop ends a process with a signal and waits until it is gone.
export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await child.exited;
  }
}
