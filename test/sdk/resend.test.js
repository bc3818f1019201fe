// Messages that are sent again, drafts, and the events of the conversation list that tell of numbers and folders.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { c2c, eventually, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'login.web_instances': 2 } }); });
after(() => server.stop());

test('a message that failed is sent again, and comes once', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [late] = server.absent(t, 'late');
  const message = await alice.call('createTextMessage', { to: late.user, conversationType: 'C2C', payload: { text: 'are you there?' } });
  assert.equal(await refused(alice.call('sendMessage', message)), 20003);
  await server.rest('im_open_login_svc/account_import', { UserID: late.user });
  const { data } = await alice.call('resendMessage', message);
  assert.deepEqual([data.message.ID, data.message.status], [message.ID, 'success']);
  await late.login();
  assert.deepEqual((await late.history(alice)).map(textOf), ['are you there?']);
  assert.equal((await late.conversation(alice)).unreadCount, 1);
});

test('what was begun to write stays with the conversation until it is sent', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'hi');
  await alice.call('setConversationDraft', { conversationID: c2c(bob), draftText: 'how are' });
  assert.equal((await alice.conversation(bob)).draftText, 'how are');
  await bob.received();
  assert.equal((await bob.conversation(alice)).draftText, '');
  await alice.call('setConversationDraft', { conversationID: c2c(bob), draftText: '' });
  await alice.text(bob, 'how are you?');
  assert.equal((await alice.conversation(bob)).draftText, '');
  assert.equal(textOf(await bob.received()), 'how are you?');
});

test('the number of unread messages is told when it changes', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const told = (count) => bob.next('TOTAL_UNREAD_MESSAGE_COUNT_UPDATED', (total) => total === count);
  await alice.text(bob, 'one');
  await told(1);
  await server.tell(alice, bob, 'two');
  await told(2);
  await bob.call('setMessageRead', { conversationID: c2c(alice) });
  await told(0);
  const taken = await alice.text(bob, 'three');
  await told(1);
  await alice.call('revokeMessage', taken);
  await told(0);
});

test('folders of conversations are told of when they change, whoever changes them', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  for (const one of [alice, carol]) {
    await one.text(bob, 'hi');
    await bob.received();
  }
  const other = server.guest(t, bob.user);
  await other.login();
  const both = [bob, other];
  const holds = async (client, ...peers) => {
    const { conversationList } = await client.next('CONVERSATION_IN_GROUP_UPDATED', ({ groupName }) => groupName === 'work');
    assert.deepEqual(conversationList.map(({ conversationID }) => conversationID).sort(), peers.map(c2c).sort());
  };
  await bob.call('createConversationGroup', { conversationIDList: [c2c(alice)], groupName: 'work' });
  for (const client of both) await client.next('CONVERSATION_GROUP_LIST_UPDATED', (names) => names.includes('work'));
  await bob.call('addConversationsToGroup', { conversationIDList: [c2c(carol)], groupName: 'work' });
  for (const client of both) await holds(client, alice, carol);
  await other.call('deleteConversationsFromGroup', { conversationIDList: [c2c(alice)], groupName: 'work' });
  for (const client of both) await holds(client, carol);
  await server.rest('recentcontact/del_contact_group', { From_Account: bob.user, GroupName: ['work'] });
  for (const client of both) {
    await client.next('CONVERSATION_GROUP_LIST_UPDATED', (names) => !names.includes('work'));
    await eventually(async () => assert.deepEqual((await client.conversation(carol)).conversationGroupList, []));
  }
});
