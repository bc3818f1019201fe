// Merged messages: others forwarded as one, inside of the message or stored apart.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// merge sends messages as one, to an account or a group.
const merge = (client, to, messageList, conversationType = 'C2C') => client.send('Merger', to, {
  messageList, title: `of ${messageList.length}`, abstractList: messageList.slice(0, 3).map((one) => textOf(one) ?? '[merged]'), compatibleText: 'merged',
}, { conversationType });

// opened gives the messages of a merged message as its reader sees them.
async function opened(client, message) {
  const whole = message.payload.downloadKey ? await client.call('downloadMergerMessage', message) : message;
  assert.deepEqual([whole.payload.downloadKey, whole.payload.pbDownloadKey], ['', '']);
  return whole.payload.messageList;
}

const textsOf = (list) => list.map(({ messageBody }) => messageBody[0].payload.text);

// said has a client say texts to a peer, and gives the messages.
async function said(client, peer, texts) {
  const all = [];
  for (const text of texts) all.push(await client.text(peer, text));
  return all;
}

const texts = (n, length) => Array.from({ length: n }, (_, i) => `${i} ${'x'.repeat(length)}`);

test('a small merged message carries its messages', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const original = await said(alice, bob, ['one', 'two']);
  const sent = await merge(alice, carol, original);
  const got = await carol.received();
  assert.deepEqual([got.ID, got.type, got.payload.title, got.payload.abstractList, got.payload.compatibleText, got.payload.layersOverLimit],
    [sent.ID, 'TIMRelayElem', 'of 2', ['one', 'two'], 'merged', false]);
  assert.deepEqual(textsOf(await opened(carol, got)), ['one', 'two']);
  await carol.close();
  const again = server.guest(t, carol.user);
  await again.login();
  const [stored] = await again.history(alice);
  assert.deepEqual(textsOf(await opened(again, stored)), ['one', 'two']);
  assert.equal((await again.conversation(alice)).lastMessage.type, 'TIMRelayElem');
  await quiet(again);
});

test('a merged message that just fits carries its messages', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const all = texts(8, 700);
  const sent = await merge(alice, carol, await said(alice, bob, all));
  assert.equal(sent.payload.downloadKey, '');
  assert.deepEqual(textsOf(await opened(carol, await carol.received())), all);
});

test('a large merged message is stored apart, and opened by who reads it', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const all = texts(30, 3000);
  await merge(alice, carol, await said(alice, bob, all));
  const got = await carol.received();
  assert.ok(got.payload.downloadKey && got.payload.messageList.length === 0);
  assert.deepEqual([got.payload.title, got.payload.abstractList.length], ['of 30', 3]);
  assert.deepEqual(textsOf(await opened(carol, got)), all);

  await carol.close();
  const again = server.guest(t, carol.user);
  await again.login();
  const [stored] = await again.history(alice);
  assert.deepEqual(textsOf(await opened(again, stored)), all);
  await quiet(again);
});

test('a large merged message inside of another is opened layer by layer', async (t) => {
  const [alice, bob, carol, dave] = await server.cast(t, 'alice', 'bob', 'carol', 'dave');
  const all = texts(30, 1000);
  await merge(alice, carol, await said(alice, bob, all));
  const inner = await carol.received();
  await merge(carol, dave, [inner, await carol.text(alice, 'see above')]);
  const outer = await dave.received();
  const [first, second] = await opened(dave, outer);
  assert.equal(second.messageBody[0].payload.text, 'see above');
  assert.equal(first.messageBody[0].type, 'TIMRelayElem');
  const key = first.messageBody[0].payload.downloadKey;
  assert.equal(key, inner.payload.downloadKey);
  const again = await dave.call('downloadMergerMessage', first.messageBody[0]);
  assert.deepEqual(textsOf(again.payload.messageList), all);
});

test('a merged message is read by the members of a group', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const { data: { group } } = await alice.call('createGroup', { name: 'team', type: 'Public', memberList: [{ userID: bob.user }] });
  await bob.received(({ payload }) => payload.groupProfile?.groupID === group.groupID);
  for (const all of [texts(2, 10), texts(30, 1500)]) {
    await merge(alice, group.groupID, await said(alice, bob, all), 'GROUP');
    const got = await bob.received(({ type }) => type === 'TIMRelayElem');
    assert.equal(got.payload.downloadKey !== '', all.length > 2);
    assert.deepEqual(textsOf(await opened(bob, got)), all);
  }
});

test('a merged message is forwarded without its messages', async (t) => {
  const [alice, bob, carol, dave] = await server.cast(t, 'alice', 'bob', 'carol', 'dave');
  const all = texts(30, 1000);
  await merge(alice, carol, await said(alice, bob, all));
  const got = await carol.received();
  await carol.send('Forward', dave, got);
  const further = await dave.received();
  assert.equal(further.payload.downloadKey, got.payload.downloadKey);
  assert.deepEqual(textsOf(await opened(dave, further)), all);
});
