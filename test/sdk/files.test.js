// Pictures, sound, films and files: uploaded by the SDK's own plugin, read by the other side, byte for byte.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { eventually, quiet, refused } from './harness/client.js';
import { sizeOf } from './harness/page.js';
import { Server } from './harness/server.js';

let server;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magpie-sdk-files-'));
  server = await Server.start();
});
after(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

// made writes a file and gives what an upload needs of it.
async function made(name, type, bytes) {
  const path = join(folder, `${randomBytes(6).toString('hex')}-${name}`);
  await writeFile(path, bytes);
  return { path, name, type };
}

// png paints a picture of noise, so that no two are alike.
function png(width, height) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) randomBytes(3 * width).copy(rows, y * (1 + 3 * width) + 1);
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]),
    chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 1 })), chunk('IEND', Buffer.alloc(0))]);
}

function crc(bytes) {
  let sum = -1;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return (sum ^ -1) >>> 0;
}

// pair is two clients in pages, logged in.
async function pair(t) {
  const clients = ['alice', 'bob'].map((role) => server.guest(t, `${role}-${randomBytes(4).toString('hex')}`, { files: true }));
  await Promise.all(clients.map((client) => client.login()));
  return clients;
}

async function download(url) {
  const reply = await fetch(url);
  assert.equal(reply.status, 200, url);
  return { type: reply.headers.get('content-type'), bytes: Buffer.from(await reply.arrayBuffer()) };
}

async function comesBack(url, bytes) {
  assert.ok(url.startsWith(`${server.url.replace(/^ws/, 'http')}/file/`), url);
  const got = await download(url);
  assert.equal(got.bytes.length, bytes.length);
  assert.equal(digest(got.bytes), digest(bytes));
  return got;
}

test('a picture arrives byte for byte, with two smaller ones of it', async (t) => {
  const [alice, bob] = await pair(t);
  const bytes = png(1600, 1200);
  const sent = await alice.upload('Image', bob, await made('photo.png', 'image/png', bytes));
  assert.equal(sent.status, 'success');
  const got = await bob.received();
  assert.equal(got.ID, sent.ID);
  const [original, thumb, large] = got.payload.imageInfoArray;
  await comesBack(original.url, bytes);
  assert.deepEqual([original.width, original.height], [1600, 1200]);
  for (const [size, width, height] of [[large, 960, 720], [thumb, 264, 198]]) {
    assert.deepEqual([size.width, size.height], [width, height]);
    assert.deepEqual(sizeOf((await download(size.url)).bytes), { width, height });
  }
  await quiet(alice, bob);
});

for (const [kind, name, type, bytes, urlOf] of [
  ['Audio', 'voice.mp3', 'audio/mpeg', () => Buffer.concat([Buffer.from('ID3'), randomBytes(50_000)]), ({ url }) => url],
  ['File', 'report.pdf', 'application/pdf', () => Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(300_000)]), ({ fileUrl }) => fileUrl],
  ['Video', 'film.mp4', 'video/mp4', () => Buffer.concat([Buffer.from('\0\0\0\x18ftypisom'), randomBytes(2 << 20)]), ({ videoUrl }) => videoUrl],
]) {
  test(`${kind.toLowerCase()} arrives byte for byte, and stands in the history`, async (t) => {
    const [alice, bob] = await pair(t);
    const content = bytes();
    const sent = await alice.upload(kind, bob, await made(name, type, content));
    assert.equal(sent.status, 'success');
    const got = await bob.received();
    assert.equal(got.ID, sent.ID);
    assert.equal((await comesBack(urlOf(got.payload), content)).type, type);
    const [kept] = await bob.history(alice);
    await comesBack(urlOf(kept.payload), content);
    await quiet(alice, bob);
  });
}

for (const [what, kind, name, head, size] of [
  ['of one byte', 'File', 'one.bin', '', 1],
  ['as large as sound may be', 'Audio', 'long.mp3', 'ID3', 28 << 20],
  ['as large as a file may be', 'File', 'large.bin', '', 100 << 20],
]) {
  test(`a file ${what} arrives byte for byte`, async (t) => {
    const [alice, bob] = await pair(t);
    const content = Buffer.concat([Buffer.from(head), randomBytes(size - head.length)]);
    await alice.upload(kind, bob, await made(name, kind === 'Audio' ? 'audio/mpeg' : 'application/octet-stream', content));
    const { payload } = await bob.received(undefined, 60_000);
    await comesBack(payload.fileUrl ?? payload.url, content);
    await quiet(alice, bob);
  });
}

test('a picture goes by proxies of the client\'s own', async (t) => {
  const http = server.url.replace(/^ws/, 'http');
  const options = { fileUploadProxy: http, fileDownloadProxy: http };
  const [alice, bob] = ['alice', 'bob'].map((role) => (
    server.guest(t, `${role}-${randomBytes(4).toString('hex')}`, { files: true, options: { ...options, proxyServer: server.url } })));
  await Promise.all([alice, bob].map((client) => client.login()));
  const bytes = png(500, 400);
  await alice.upload('Image', bob, await made('photo.png', 'image/png', bytes));
  const got = await bob.received();
  const [original, thumb] = got.payload.imageInfoArray;
  assert.deepEqual([original.width, original.height, thumb.width, thumb.height], [500, 400, 248, 198]);
  await comesBack(original.url, bytes);
  assert.deepEqual(sizeOf((await download(thumb.url)).bytes), { width: 248, height: 198 });
});

test('what is too large is said by the client itself, as the application has it', async (t) => {
  await server.set({ 'file.other_mib': 1 });
  const [alice, bob] = await pair(t);
  await eventually(async () => {
    const code = await refused(alice.upload('File', bob, await made('large.bin', 'application/octet-stream', Buffer.alloc((1 << 20) + 1))));
    assert.equal(code, 2402);
  });
  await server.set({ 'file.other_mib': 100 });
  await quiet(bob);
});

test('what a client was told is uploaded is whole after the server was killed', async (t) => {
  const own = await Server.start();
  t.after(() => own.stop());
  const uploads = [];
  const acknowledged = [];
  const user = own.guest(t, 'alice', { files: true });
  await user.login();
  const send = async (i) => {
    const bytes = Buffer.concat([Buffer.from(`${i} `), randomBytes(3 << 20)]);
    const sent = await user.upload('File', 'bob', await made(`${i}.bin`, 'application/octet-stream', bytes));
    acknowledged.push({ url: sent.payload.fileUrl, bytes });
  };
  await own.rest('im_open_login_svc/account_import', { UserID: 'bob' });
  for (let i = 0; i < 12; i++) uploads.push(send(i).catch(() => {}));
  await eventually(() => assert.ok(acknowledged.length >= 3));
  await own.halt('SIGKILL');
  const before = [...acknowledged];
  await own.boot();
  for (const { url, bytes } of before) {
    const got = await download(url);
    assert.equal(digest(got.bytes), digest(bytes));
  }
  await user.close();
});
