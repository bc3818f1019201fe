// A user's client: the official SDK in a thread, driven from the test.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Inbox } from './inbox.js';

const trace = Boolean(process.env.MAGPIE_SDK_TRACE);
const dump = process.env.MAGPIE_SDK_DUMP;

// SDKError is a refusal, by the server or by the SDK itself; code is what an app would look at.
export class SDKError extends Error {
  constructor(what, { code, message, stack, data }) {
    super(`${what}: ${code ?? ''} ${message || '(no text)'}`, { cause: stack });
    this.code = code;
    this.data = data;
  }
}

// Client drives one SDK instance, with lite one of the newer line. It is made by Server.client and the like; nothing is
// logged in yet.
export class Client {
  #thread;
  #waiting = new Map();
  #next = 1;
  #inbox;
  #closed = false;

  constructor({ user, sig, sdkAppID, url, options = {}, name = user, lite = false, signals = false, files = false }) {
    this.user = user;
    this.sig = sig;
    this.#inbox = new Inbox(name);
    this.#thread = new Worker(new URL('./client-thread.js', import.meta.url), {
      workerData: { name, trace, lite, signals, files, options: { SDKAppID: sdkAppID, proxyServer: url, ...options } },
      stdout: !trace,
      stderr: !trace,
    });
    this.#thread.stdout?.resume();
    this.#thread.stderr?.resume();
    this.#thread.on('message', (message) => this.#receive(message));
    this.#thread.on('error', (error) => this.#inbox.put('FAULT', { kind: 'thread', message: String(error) }));
  }

  #receive({ id, result, error, event, data }) {
    if (event) {
      this.#inbox.put(event, data);
      return;
    }
    const { what, resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) reject(new SDKError(`${this.#inbox.name} ${what}`, error));
    else resolve(result);
  }

  #ask(operation, what, ...args) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { what, resolve, reject });
      this.#thread.postMessage({ id, operation, args });
    });
  }

  // call calls a method of the SDK and gives what its promise holds. A message that came from this client may be given
  // back as an argument: the SDK gets its own object.
  call(method, ...args) {
    return this.#ask('call', method, method, args);
  }

  // send makes a message of a kind ("Text", "Custom", …), sends it to a user, and gives it as the SDK has it then.
  // extra holds further fields of the message, and options for sendMessage.
  send(kind, to, payload, extra = {}) {
    return this.#ask('send', `send ${kind}`, kind, { to: to.user ?? to, conversationType: 'C2C', payload, ...extra });
  }

  // upload sends a message of a kind ("Image", "Audio", "Video", "File") with a file of the disk, by the SDK's own plugin. It is
  // for clients that were made with files.
  upload(kind, to, { path, name, type, ...extra }) {
    return this.#ask('upload', `upload ${kind}`, kind, { to: to.user ?? to, conversationType: 'C2C', path, name, type, ...extra });
  }

  // text sends a text.
  text(to, text, extra) {
    return this.send('Text', to, { text }, extra);
  }

  // edit changes fields of a message that came from this client, and of its payload, and has the edit sent.
  edit(message, changes) {
    return this.#ask('edit', 'modifyMessage', message, changes);
  }

  // login logs in, and waits until the SDK is ready and has what came while the user was away: what comes from then on
  // is new to it.
  async login({ user = this.user, sig = this.sig } = {}) {
    const { data } = await this.call('login', { userID: user, userSig: sig });
    await Promise.all([this.next('SDK_READY'), this.next('SYNCED')]);
    return data;
  }

  // next gives the next event of a name that no test has taken yet, and that suits; it waits for one. Of an event that
  // brings a list, each entry counts as one event.
  next(event, suits, within) {
    return this.#inbox.take(event, suits, within);
  }

  // received is the next message that came in.
  received(suits, within) {
    return this.next('MESSAGE_RECEIVED', suits, within);
  }

  // left lists the events of a name that were not taken.
  left(event) {
    return this.#inbox.left(event);
  }

  // nothingElse fails if anything came that a user would notice and the test did not take.
  nothingElse() {
    this.#inbox.assertEmpty();
  }

  // frames lists the frames that went over the wire, and when connections opened and closed: those that have all of the
  // given fields.
  async frames(fields = {}) {
    const all = await this.#ask('frames', 'frames');
    return all.filter((frame) => Object.entries(fields).every(([key, value]) => frame[key] === value));
  }

  // conversation gives the conversation with a user out of the SDK's list.
  async conversation(withUser) {
    const { data } = await this.call('getConversationList');
    return data.conversationList.find(({ conversationID }) => conversationID === c2c(withUser));
  }

  // history reads the whole conversation with a user, page by page, and gives it oldest first.
  async history(withUser) {
    const messages = [];
    let nextReqMessageID;
    for (;;) {
      const { data } = await this.#patiently('getMessageList', { conversationID: c2c(withUser), nextReqMessageID });
      messages.unshift(...data.messageList);
      if (data.isCompleted) return messages;
      ({ nextReqMessageID } = data);
    }
  }

  // The SDK lets 20 pages of history through in a second and refuses more by itself.
  async #patiently(method, options) {
    try {
      return await this.call(method, options);
    } catch (error) {
      if (error.code !== 2996) throw error;
      await sleep(1000);
      return this.call(method, options);
    }
  }

  // close ends the client as a closed browser tab does: no logout, the connection just ends.
  async close() {
    if (dump && !this.#closed) await this.#dump();
    this.#closed = true;
    await this.#thread.terminate();
  }

  async #dump() {
    const lines = (await this.frames()).map((frame) => JSON.stringify(frame));
    await mkdir(dump, { recursive: true });
    await writeFile(join(dump, `${process.pid}-${this.#inbox.name}.jsonl`), `${lines.join('\n')}\n`);
  }
}

// c2c is the id of the conversation with a user or client.
export const c2c = (user) => `C2C${user.user ?? user}`;

// quiet waits long enough for what was still on its way, and fails if any of the clients has something left over.
export async function quiet(...clients) {
  await sleep(250);
  for (const client of clients) client.nothingElse();
}

// eventually repeats a check until it holds. It is for what the SDK brings about without an event of its own.
export async function eventually(check, within = 5000) {
  const deadline = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

// refused runs what must fail, and gives the code it failed with.
export async function refused(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    if (error instanceof SDKError) return error.code;
    throw error;
  }
  return assert.fail(`was not refused but gave ${JSON.stringify(value)}`);
}
