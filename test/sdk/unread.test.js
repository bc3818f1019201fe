// What is unread, who read what, and what waits for one who was away.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, eventually, quiet } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const unread = async (client, ...peers) => Promise.all(
  peers.map(async (peer) => (await client.conversation(peer))?.unreadCount),
);

const total = (client) => client.call('getTotalUnreadMessageCount');

async function unreadByREST(client, ...peers) {
  const { C2CUnreadMsgNumList } = await server.rest('openim/get_c2c_unread_msg_num', {
    To_Account: client.user, Peer_Account: peers.map(({ user }) => user),
  });
  return C2CUnreadMsgNumList.map(({ C2CUnreadMsgNum }) => C2CUnreadMsgNum);
}

test('messages count as unread until they are read', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  for (const text of ['1', '2', '3']) await alice.text(bob, text);
  await carol.text(bob, '4');
  await server.tell(carol, bob, '5');
  for (let i = 0; i < 5; i++) await bob.received();
  assert.deepEqual(await unread(bob, alice, carol), [3, 2]);
  assert.deepEqual(await unreadByREST(bob, alice, carol), [3, 2]);
  await eventually(async () => assert.equal(await total(bob), 5));
  assert.equal(await total(alice), 0);
  await quiet(alice, bob, carol);

  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  assert.deepEqual(await unread(bob, alice, carol), [0, 2]);
  await eventually(async () => assert.equal(await total(bob), 2));
  await eventually(async () => assert.deepEqual(await unreadByREST(bob, alice, carol), [0, 2]));
  for (let i = 0; i < 3; i++) await alice.next('MESSAGE_READ_BY_PEER');
  await quiet(alice, bob, carol);
});

test('the author learns that the peer has read, once, and history remembers', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = [await alice.text(bob, 'one'), await alice.text(bob, 'two')];
  await bob.received();
  await bob.received();
  await quiet(alice, bob); // alice's first message makes her SDK ask what bob has read; that answer counts as well
  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  const read = [await alice.next('MESSAGE_READ_BY_PEER'), await alice.next('MESSAGE_READ_BY_PEER')];
  assert.deepEqual(read.map(({ ID, isPeerRead }) => [ID, isPeerRead]), sent.map(({ ID }) => [ID, true]));
  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  await sleep(1000); // read marks are in whole seconds: what comes now is after the mark
  await alice.text(bob, 'three');
  await bob.received();
  await quiet(alice, bob);

  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  await again.conversation(bob);
  assert.deepEqual((await again.history(bob)).map((m) => [textOf(m), m.isPeerRead]),
    [['one', true], ['two', true], ['three', false]]);
  // The SDK takes what it learns from history for news.
  assert.deepEqual([textOf(await again.next('MESSAGE_READ_BY_PEER')), textOf(await again.next('MESSAGE_READ_BY_PEER'))],
    ['one', 'two']);
  await quiet(again, bob);
});

test('what was read stays read after the next login', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'one');
  await bob.received();
  await quiet(alice, bob);
  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  await alice.next('MESSAGE_READ_BY_PEER');
  await bob.close();
  await sleep(1000);
  await alice.text(bob, 'two');
  const again = server.guest(t, bob.user);
  await again.login();
  assert.deepEqual(await unread(again, alice), [1]);
  assert.deepEqual((await again.history(alice)).map(textOf), ['one', 'two']);
  await quiet(alice, again);
});

test('messages that came while away are unread at login, and are no new messages', async (t) => {
  const [alice, carol] = await server.cast(t, 'alice', 'carol');
  const [bob] = server.absent(t, 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  for (const text of ['1', '2', '3']) await alice.text(bob, text);
  await carol.text(bob, '4');
  await server.tell(carol, bob, '5');
  await carol.text(bob, '6', { options: { messageControlInfo: { excludedFromUnreadCount: true } } });

  await bob.login();
  await eventually(async () => assert.equal(await total(bob), 5));
  assert.deepEqual(await unread(bob, alice, carol), [3, 2]);
  assert.deepEqual((await bob.history(alice)).map(textOf), ['1', '2', '3']);
  assert.deepEqual((await bob.history(carol)).map(textOf), ['4', '5', '6']);
  assert.equal((await bob.conversation(carol)).lastMessage.payload.text, '6');
  await quiet(alice, bob, carol);

  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  for (let i = 0; i < 3; i++) await alice.next('MESSAGE_READ_BY_PEER');
  await bob.close();
  const again = server.guest(t, bob.user);
  await again.login();
  await eventually(async () => assert.equal(await total(again), 2));
  assert.deepEqual(await unread(again, alice, carol), [0, 2]);
  await quiet(again, alice, carol);
});

test('what is sent while a client logs in is neither lost nor doubled', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [bob] = server.absent(t, 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  const texts = Array.from({ length: 60 }, (_, i) => `no. ${i}`);
  const [login] = [bob.login()];
  for (const text of texts) await alice.text(bob, text);
  await login;
  await quiet(alice);
  const history = (await bob.history(alice)).map(textOf);
  assert.deepEqual(history, texts);
  assert.deepEqual(await unread(bob, alice), [60]);
  const live = bob.left('MESSAGE_RECEIVED').map(textOf);
  assert.deepEqual(live, texts.slice(texts.length - live.length), 'the messages that came live are the last ones');
});

test('a back end marks a conversation read for a user', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'one');
  await bob.received();
  await quiet(alice, bob);
  await server.rest('openim/admin_set_msg_read', { Report_Account: bob.user, Peer_Account: alice.user });
  assert.equal((await alice.next('MESSAGE_READ_BY_PEER')).payload.text, 'one');
  await eventually(async () => assert.deepEqual(await unread(bob, alice), [0]));
  await eventually(async () => assert.equal(await total(bob), 0));
  await quiet(alice, bob);
});
