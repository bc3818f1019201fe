// Editing a message that was sent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Proxy } from './harness/proxy.js';
import { Server, textElement } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const keyOf = ({ sequence, random, time }) => `${sequence}_${random}_${time}`;

// rewrite edits by REST.
const rewrite = (from, to, message, text) => server.rest('openim/modify_c2c_msg', {
  From_Account: from.user, To_Account: to.user, MsgKey: keyOf(message), MsgBody: [textElement(text)],
});

test('an edited message is edited for everybody', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'hello');
  await bob.received();
  const done = await alice.edit(sent, { payload: { text: 'hello, bob' }, cloudCustomData: 'twice' });
  assert.equal(textOf(done), 'hello, bob');
  for (const client of [alice, bob]) {
    const now = await client.next('MESSAGE_MODIFIED');
    assert.deepEqual([now.ID, textOf(now), now.cloudCustomData, now.isModified], [sent.ID, 'hello, bob', 'twice', true]);
  }
  assert.equal((await bob.conversation(alice)).lastMessage.payload.text, 'hello, bob');
  assert.equal((await bob.conversation(alice)).unreadCount, 1);
  await quiet(alice, bob);

  for (const [client, peer] of [[alice, bob], [bob, alice]]) {
    await client.close();
    const again = server.guest(t, client.user);
    await again.login();
    assert.deepEqual((await again.history(peer)).map((m) => [m.ID, textOf(m), m.isModified]), [[sent.ID, 'hello, bob', true]]);
    assert.equal((await again.conversation(peer)).lastMessage.payload.text, 'hello, bob');
    await quiet(again);
  }
});

test('the receiver and the back end may edit too', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'to do: nothing');
  const got = await bob.received();
  await bob.edit(got, { payload: { text: 'to do: a lot' } });
  for (const client of [alice, bob]) assert.equal(textOf(await client.next('MESSAGE_MODIFIED')), 'to do: a lot');
  await rewrite(alice, bob, sent, 'done');
  for (const client of [alice, bob]) assert.equal(textOf(await client.next('MESSAGE_MODIFIED')), 'done');
  await quiet(alice, bob);
});

test('who edits an old version is given the new one', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'one');
  const got = await bob.received();
  // Two edits at the same time: one of them comes second.
  const outcomes = await Promise.allSettled([
    alice.edit(sent, { payload: { text: 'by alice' } }), bob.edit(got, { payload: { text: 'by bob' } }),
  ]);
  const lost = outcomes.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
  const won = outcomes.filter(({ status }) => status === 'fulfilled').map(({ value }) => textOf(value));
  // A client that the other's edit reached first has seen it, and edits that.
  for (const { code, data } of lost) assert.deepEqual([code, textOf(data.message)], [2480, won[0]]);
  assert.ok(won.length > 0);
  await sleep(250);
  const texts = await Promise.all([alice.history(bob), bob.history(alice)]);
  assert.equal(textOf(texts[0][0]), textOf(texts[1][0]));
});

test('a recalled message cannot be edited', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'mistake');
  const got = await bob.received();
  await alice.call('revokeMessage', sent);
  await bob.next('MESSAGE_REVOKED');
  assert.equal(await refused(bob.edit(got, { payload: { text: 'no mistake' } })), 20023);
  await quiet(alice, bob);
});

test('edits during an outage are not missed', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const proxy = await Proxy.start(t, server);
  const bob = server.guest(t, `bob-of-${alice.user}`, { url: proxy.url });
  await bob.login();
  await sleep(1100);
  const early = await alice.text(bob, 'early');
  await bob.received();
  proxy.down();
  const late = await alice.text(bob, 'late');
  await rewrite(alice, bob, early, 'early, edited');
  await rewrite(alice, bob, late, 'late, edited');
  await sleep(2000);
  proxy.up();
  await bob.next('NET_STATE_CHANGE', ({ state }) => state === 'connected', 30_000);
  const received = await bob.received();
  assert.deepEqual([received.ID, textOf(received)], [late.ID, 'late, edited']);
  const modified = await bob.next('MESSAGE_MODIFIED', ({ ID }) => ID === early.ID);
  assert.equal(textOf(modified), 'early, edited');
  assert.equal((await bob.conversation(alice)).unreadCount, 2);
});
