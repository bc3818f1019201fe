// Taking a message back.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const seen = (messages) => messages.map((m) => [textOf(m), m.isRevoked]);

const keyOf = ({ sequence, random, time }) => `${sequence}_${random}_${time}`;

test('a recalled message is recalled for everybody', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'stays');
  const mistake = await alice.text(bob, 'mistake');
  await bob.received();
  await bob.received();
  assert.equal((await bob.conversation(alice)).unreadCount, 2);

  await alice.call('revokeMessage', mistake);
  const revoked = await bob.next('MESSAGE_REVOKED');
  assert.equal(revoked.ID, mistake.ID);
  assert.equal(revoked.revoker, alice.user);
  assert.equal((await bob.conversation(alice)).unreadCount, 1);
  assert.equal((await bob.conversation(alice)).lastMessage.isRevoked, true);
  await quiet(bob);

  for (const client of [alice, bob]) {
    await client.close();
    const again = server.guest(t, client.user);
    await again.login();
    const peer = client === alice ? bob : alice;
    assert.deepEqual(seen(await again.history(peer)), [['stays', false], ['mistake', true]]);
    assert.equal((await again.conversation(peer)).lastMessage.isRevoked, true);
    assert.equal((await again.conversation(peer)).unreadCount, client === bob ? 1 : 0);
    await quiet(again);
  }
});

test('a message recalled before the receiver saw it is not unread', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [bob] = server.absent(t, 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  const mistake = await alice.text(bob, 'mistake');
  await alice.text(bob, 'stays');
  await alice.call('revokeMessage', mistake);
  await bob.login();
  await eventually(async () => assert.equal((await bob.conversation(alice)).unreadCount, 1));
  assert.deepEqual(seen(await bob.history(alice)), [['mistake', true], ['stays', false]]);
  await quiet(alice, bob);
});

test('a back end recalls a message, with a reason', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'against the rules');
  await bob.received();
  await server.rest('openim/admin_msgwithdraw', {
    From_Account: alice.user, To_Account: bob.user, MsgKey: keyOf(sent), Reason: 'rule 1',
  });
  for (const client of [alice, bob]) {
    const { ID, revoker, revokeReason } = await client.next('MESSAGE_REVOKED');
    assert.deepEqual({ ID, revoker, revokeReason }, { ID: sent.ID, revoker: 'administrator', revokeReason: 'rule 1' });
  }
  assert.equal((await bob.conversation(alice)).unreadCount, 0);
  await quiet(alice, bob);
});

test('a message is recalled once', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'mistake');
  await bob.received();
  const how = { From_Account: alice.user, To_Account: bob.user, MsgKey: keyOf(sent) };
  await server.rest('openim/admin_msgwithdraw', how);
  await bob.next('MESSAGE_REVOKED');
  await alice.next('MESSAGE_REVOKED');
  assert.equal((await server.post('openim/admin_msgwithdraw', how)).ErrorCode, 20023);
  await quiet(alice, bob);
});

test('an old message cannot be recalled by its author', async (t) => {
  await server.set({ 'message.recall_seconds': 1 });
  t.after(() => server.set({ 'message.recall_seconds': 120 }));
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'too late');
  await bob.received();
  await sleep(2100);
  assert.equal(await refused(alice.call('revokeMessage', sent)), 20016);
  await quiet(alice, bob);
  assert.deepEqual(seen(await bob.history(alice)), [['too late', false]]);
});
