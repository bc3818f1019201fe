// One instance of the official SDK in a thread of its own: the SDK keeps one instance per SDKAppID and module, so two
// users, or two devices of one, need two threads. The package is loaded as it comes from npm; the only thing given to it
// is a WebSocket, which Node 20 does not have. That WebSocket also remembers the frames, for tests that look at them.
import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { file, makePage } from './page.js';

const framesKept = 5000;
const frames = [];
let connections = 0;

function remember(connection, direction, data, binary) {
  const bytes = Buffer.from(data);
  const compressed = bytes.subarray(0, 4).toString() === 'COMP';
  const frame = { at: Date.now(), connection, direction, binary, compressed, bytes: bytes.length };
  try {
    const { head, body } = JSON.parse(compressed ? gunzipSync(bytes.subarray(4)) : bytes);
    Object.assign(frame, { command: head.servcmd, seq: head.seq, head, body });
  } catch (error) {
    frame.malformed = String(error);
  }
  if (direction === 'in' && frame.command === 'openim.getmsg') emit('SYNCED');
  frames.push(frame);
  if (frames.length > framesKept) frames.shift();
  if (workerData.trace) {
    console.error(new Date().toISOString().slice(14, 23), workerData.name, direction === 'in' ? '<-' : '->', connection,
      frame.command, JSON.stringify(frame.body)?.slice(0, 600));
  }
}

// The newer line of the SDK knows no proxyServer and takes every place for a page: it gets what it looks for there, and
// its connections are led to the server.
const { lite, files } = workerData;
if (files) makePage();
if (lite) {
  globalThis.document = { addEventListener() {}, removeEventListener() {}, visibilityState: 'visible', hidden: false };
  globalThis.navigator ??= { userAgent: '', onLine: true, language: 'en' };
}
const there = (address) => String(address).replace(/^wss?:\/\/[^/]+/, workerData.options.proxyServer);

globalThis.WebSocket = class extends WebSocket {
  constructor(...args) {
    if (lite) args[0] = there(args[0]);
    super(...args);
    const connection = ++connections;
    this.connection = connection;
    const note = (event, detail) => {
      frames.push({ at: Date.now(), connection, direction: event, ...detail });
      if (workerData.trace) console.error(new Date().toISOString().slice(14, 23), workerData.name, event, connection, detail);
    };
    note('connect', { url: String(args[0]) });
    this.on('open', () => note('open'));
    this.on('close', (code, reason) => note('close', { code, reason: String(reason) }));
    this.on('message', (data, binary) => remember(connection, 'in', data, binary));
  }

  send(data, ...rest) {
    remember(this.connection, 'out', data, typeof data !== 'string');
    super.send(data, ...rest);
  }
};

const require = createRequire(import.meta.url);
const SDK = require(lite ? '@tencentcloud/lite-chat/professional' : '@tencentcloud/chat');
const post = (message) => parentPort.postMessage(message);
const plain = (value) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
const emit = (name, data) => post({ event: name, at: Date.now(), data: plain(data) });

// What the SDK fails to catch. A page would go on, and so does this thread; a test that is over asks for them.
process.on('unhandledRejection', (reason) => emit('FAULT', { kind: 'unhandledRejection', ...explain(reason) }));
process.on('uncaughtException', (error) => emit('FAULT', { kind: 'uncaughtException', ...explain(error) }));

function explain(error) {
  if (!(error instanceof Object)) return { message: String(error) };
  return { code: error.code, message: error.message, stack: error.stack, data: plain(error.data) };
}

const chat = SDK.create(workerData.options);
chat.setLogLevel(workerData.trace ? 0 : 4);
if (files) chat.registerPlugin({ 'tim-upload-plugin': require('tim-upload-plugin') });
for (const [name, value] of Object.entries(SDK.EVENT)) {
  chat.on(value, ({ data }) => {
    if (Array.isArray(data) && name.startsWith('MESSAGE_')) data.forEach(keep);
    emit(name, data);
  });
}

// Invitations have listeners of their own. The SDK looks at messages for them only when there is one.
if (workerData.signals) {
  for (const [name, value] of Object.entries(SDK.TSignaling)) {
    if (typeof value === 'string') chat.addSignalingListener(value, (event) => emit(name, event.data ?? event));
  }
}

// The SDK's own objects of the messages that the test has seen, because its methods want them back and not a copy.
const messages = new Map();

function keep(message) {
  if (message?.ID && message.conversationID) messages.set(message.ID, message);
}

function revive(argument) {
  if (Array.isArray(argument)) return argument.map(revive);
  if (argument?.ID && argument.conversationID) {
    return chat.findMessage(argument.ID) ?? messages.get(argument.ID) ?? argument;
  }
  return argument;
}

const operations = {
  async call(method, args) {
    const result = await chat[method](...args.map(revive));
    keep(result);
    keep(result?.data?.message);
    result?.data?.messageList?.forEach(keep);
    return result;
  },
  // upload is send for a message with a file, of which the bytes are read from the disk as they are sent.
  async upload(kind, { path, name, type, ...message }) {
    return operations.send(kind, { ...message, payload: { file: await file(kind, path, name, type) } });
  },
  async send(kind, { options, ...message }) {
    message.payload = revive(message.payload); // a message that is forwarded
    if (message.payload.messageList && !message.payload.ID) message.payload.messageList = revive(message.payload.messageList);
    const created = chat[`create${kind}Message`](message);
    keep(created);
    const { data } = await chat.sendMessage(created, options);
    return data.message;
  },
  // edit changes the SDK's own object, as the SDK wants it, and has it sent.
  async edit(message, { payload, ...more }) {
    const own = revive(message);
    Object.assign(own.payload, payload);
    Object.assign(own, more);
    const { data } = await chat.modifyMessage(own);
    return data.message;
  },
  frames: () => frames,
};

parentPort.on('message', async ({ id, operation, args }) => {
  try {
    post({ id, result: plain(await operations[operation](...args)) });
  } catch (error) {
    post({ id, error: explain(error) });
  }
});
post({ event: 'LOADED', at: Date.now() });
