// The list of conversations.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, eventually, quiet } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const list = async (client) => (await client.call('getConversationList')).data.conversationList;

const brief = ({ conversationID, unreadCount, lastMessage, userProfile: { nick, avatar } }) => ({
  conversationID, unreadCount, nick, avatar,
  last: lastMessage && { text: lastMessage.payload.text ?? lastMessage.payload.data, type: lastMessage.type, from: lastMessage.fromAccount },
});

test('a draft is kept with its conversation until it is taken away', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.text(alice, 'hi');
  await alice.received();
  for (const draftText of ['half a sen', '']) {
    await alice.call('setConversationDraft', { conversationID: c2c(bob), draftText });
    const { data: { conversation } } = await alice.call('getConversationProfile', c2c(bob));
    assert.deepEqual([conversation.draftText, conversation.lastMessage.payload.text], [draftText, 'hi']);
  }
  await quiet(alice, bob);
});

test('the list has every chat with its last message, newest first, also after the next login', async (t) => {
  const [alice, bob, carol, dave] = await server.cast(t, 'alice', 'bob', 'carol', 'dave');
  await carol.call('updateMyProfile', { nick: 'Carol', avatar: 'https://example.org/carol.png' });
  await carol.next('PROFILE_UPDATED');
  await bob.text(alice, 'one');
  await alice.received();
  await alice.text(bob, 'two');
  await bob.received();
  await sleep(1000); // the order is by seconds
  await carol.send('Custom', alice, { data: 'three', description: '', extension: '' });
  await alice.received();
  await sleep(1000);
  await server.tell(alice, dave, 'four', { SyncOtherMachine: 1 });
  await dave.received();
  await alice.received();
  const expected = [
    { conversationID: c2c(dave), unreadCount: 0, nick: '', avatar: '',
      last: { text: 'four', type: 'TIMTextElem', from: alice.user } },
    { conversationID: c2c(carol), unreadCount: 1, nick: 'Carol', avatar: 'https://example.org/carol.png',
      last: { text: 'three', type: 'TIMCustomElem', from: carol.user } },
    { conversationID: c2c(bob), unreadCount: 1, nick: '', avatar: '',
      last: { text: 'two', type: 'TIMTextElem', from: alice.user } },
  ];
  await eventually(async () => assert.deepEqual((await list(alice)).map(brief), expected));
  await quiet(alice, bob, carol, dave);

  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  await eventually(async () => assert.deepEqual((await list(again)).map(brief), expected));
  await quiet(again);

  const { SessionItem } = await server.rest('recentcontact/get_list', {
    From_Account: alice.user, TimeStamp: 0, StartIndex: 0, TopTimeStamp: 0, TopStartIndex: 0, AssistFlags: 7,
  });
  assert.deepEqual(SessionItem.map(({ To_Account }) => c2c(To_Account)), expected.map(({ conversationID }) => conversationID));
});

test('a user who never wrote has an empty list', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  assert.deepEqual(await list(alice), []);
  await quiet(alice);
});

test('more conversations than one page holds', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const peers = Array.from({ length: 60 }, (_, i) => `peer${i}-of-${alice.user}`);
  await server.rest('im_open_login_svc/multiaccount_import', { AccountList: peers.map((UserID) => ({ UserID })) });
  for (const peer of peers) await server.tell(peer, alice, `from ${peer}`);
  for (const _ of peers) await alice.received();
  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  const conversations = await list(again);
  assert.deepEqual(conversations.map(({ conversationID }) => conversationID).sort(), peers.map(c2c).sort());
  for (const { conversationID, unreadCount, lastMessage } of conversations) {
    assert.deepEqual([unreadCount, lastMessage.payload.text], [1, `from ${conversationID.slice(3)}`]);
  }
  assert.equal(await again.call('getTotalUnreadMessageCount'), 60);
  await quiet(again);
});

test('one conversation is asked for by its id', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.text(alice, 'hello');
  await alice.received();
  const { data } = await alice.call('getConversationProfile', c2c(bob));
  assert.equal(data.conversation.lastMessage.payload.text, 'hello');
  assert.equal(data.conversation.userProfile.userID, bob.user);
  await quiet(alice, bob);
});

test('several conversations are deleted at once', async (t) => {
  const [alice, bob, carol, dave] = await server.cast(t, 'alice', 'bob', 'carol', 'dave');
  for (const peer of [bob, carol, dave]) {
    await peer.text(alice, `from ${peer.user}`);
    await alice.received();
  }
  await quiet(alice);
  await alice.call('deleteConversation', { conversationIDList: [c2c(bob), c2c(carol)] });
  assert.deepEqual((await list(alice)).map(({ conversationID }) => conversationID), [c2c(dave)]);
  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  assert.deepEqual((await list(again)).map(({ conversationID }) => conversationID), [c2c(dave)]);
  assert.deepEqual((await bob.history(alice)).map(textOf), [`from ${bob.user}`]);
  await quiet(again, bob, carol, dave);
});

test('a back end deletes a conversation', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.text(alice, 'hello');
  await alice.received();
  await server.rest('recentcontact/delete', { From_Account: alice.user, Type: 1, To_Account: bob.user, ClearRamble: 1 });
  await eventually(async () => assert.equal(await alice.conversation(bob), undefined));
  await quiet(alice, bob);
});
