// A Magpie server of its own for a test file, with throwaway data and two applications.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import TLSSigAPIv2 from 'tls-sig-api-v2';
import { environment, magpie } from './binary.js';
import { Client } from './client.js';
import { start, stop } from './process.js';

const run = promisify(execFile);

// The applications that every server here has.
export const apps = {
  one: { id: 1400000001, key: '5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e' },
  two: { id: 1400000002, key: '9bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5f' },
};

const admin = 'administrator';
const day = 24 * 3600;

// userSig signs with the official generator.
export function userSig(user, { app = apps.one, expire = day } = {}) {
  return new TLSSigAPIv2.Api(app.id, app.key).genUserSig(user, expire);
}

let people = 0;

export class Server {
  #folder;
  #child;
  #storage;
  #flags;
  #port = 0;
  #clients = new Set();
  #devices = new Map(); // how many clients each user had, to tell them apart in reports
  #log = [];

  // start runs a server. storage are the flags that say where its data is; without, it is a folder of its own.
  static async start({ storage, flags = [], settings = {} } = {}) {
    const server = new Server();
    server.#folder = await mkdtemp(join(tmpdir(), 'magpie-sdk-'));
    server.#storage = storage ?? ['--data', server.#folder];
    server.#flags = flags;
    await server.boot();
    await server.set(settings);
    return server;
  }

  // boot runs the process; after a stop or kill it comes back on the port that it had.
  async boot() {
    this.#child = await start(magpie(), [
      'serve', '--listen', `127.0.0.1:${this.#port}`, ...this.#storage, ...this.#flags,
      ...Object.values(apps).flatMap(({ id, key }) => ['--app', `${id}:${key}`]),
    ], { ready: /serves on .*:(\d+)$/, cwd: this.#folder });
    this.#port = Number(this.#child.match[1]);
  }

  // halt ends the process and keeps its data.
  async halt(signal) {
    await stop(this.#child, signal);
    this.#log.push(...this.#child.log);
  }

  get port() {
    return this.#port;
  }

  get url() {
    return `ws://127.0.0.1:${this.#port}`;
  }

  // set changes settings of an application; the running server follows within a second.
  async set(settings, app = apps.one) {
    const changes = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    if (changes.length === 0) return;
    const [flag] = this.#storage;
    await run(magpie(), ['app', 'set', String(app.id), ...this.#storage.slice(0, 2), ...changes], { env: environment() });
    await new Promise((resolve) => { setTimeout(resolve, 1200); });
  }

  // client makes a client of a user, not logged in. Further fields of Client's may be given.
  client(user, { app = apps.one, ...more } = {}) {
    const count = (this.#devices.get(user) ?? 0) + 1;
    this.#devices.set(user, count);
    const client = new Client({
      user, name: count > 1 ? `${user}(${count})` : user, sig: userSig(user, { app }), sdkAppID: app.id, url: this.url, ...more,
    });
    this.#clients.add(client);
    return client;
  }

  // cast logs in users whom no other test of the file knows, one for each role, and logs them off when the test ends.
  async cast(t, ...roles) {
    const clients = this.absent(t, ...roles);
    await Promise.all(clients.map((client) => client.login()));
    return clients;
  }

  // absent is cast without the login.
  absent(t, ...roles) {
    return roles.map((role) => this.guest(t, `${role}-${++people}`));
  }

  // guest is client, closed when the test ends.
  guest(t, user, more) {
    const client = this.client(user, more);
    t.after(() => this.leave(client));
    return client;
  }

  async leave(client) {
    this.#clients.delete(client);
    await client.close();
  }

  // post calls the REST interface as the administrator and gives the reply's body.
  async post(command, body, { app = apps.one, identifier = admin, sig = userSig(admin, { app }) } = {}) {
    const query = new URLSearchParams({
      sdkappid: app.id, identifier, usersig: sig, random: Math.floor(Math.random() * 2 ** 32), contenttype: 'json',
    });
    const reply = await fetch(`http://127.0.0.1:${this.#port}/v4/${command}?${query}`, {
      method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
    });
    assert.equal(reply.status, 200);
    return reply.json();
  }

  // rest is post for what must succeed.
  async rest(command, body, how) {
    const reply = await this.post(command, body, how);
    assert.equal(reply.ErrorCode, 0, `${command}: ${reply.ErrorCode} ${reply.ErrorInfo}`);
    return reply;
  }

  // tell sends a message by REST; elements is a text or a MsgBody.
  tell(from, to, elements, more = {}) {
    return this.rest('openim/sendmsg', {
      From_Account: from.user ?? from, To_Account: to.user ?? to, MsgRandom: Math.floor(Math.random() * 2 ** 32),
      MsgBody: typeof elements === 'string' ? [textElement(elements)] : elements, ...more,
    });
  }

  // stop ends clients and server, removes the data, and fails if the server complained.
  async stop() {
    await Promise.all([...this.#clients].map((client) => this.leave(client)));
    await this.halt();
    await rm(this.#folder, { recursive: true, force: true });
    const complaints = this.#log.filter((line) => /level=ERROR|panic|DATA RACE/.test(line));
    assert.deepEqual(complaints, [], 'the server logged errors');
  }
}

export const textElement = (text) => ({ MsgType: 'TIMTextElem', MsgContent: { Text: text } });
