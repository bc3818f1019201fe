// Groups in the list of conversations, and what its owner chooses for each conversation: pins, marks, folders, receive options.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, eventually } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// The conversation of what groups tell an account is no part of these stories.
const list = async (client) => (await client.call('getConversationList')).data.conversationList
  .filter(({ conversationID }) => conversationID !== '@TIM#SYSTEM');
const ids = async (client) => (await list(client)).map(({ conversationID }) => conversationID);
const of = async (client, conversationID) => (await list(client)).find((one) => one.conversationID === conversationID);

// made is a group of the first client's, with the others in it.
async function made(type, owner, ...others) {
  const { GroupId } = await server.rest('group_open_http_svc/create_group', {
    Type: type, Name: 'team', Owner_Account: owner.user, MemberList: others.map(({ user }) => ({ Member_Account: user })),
  });
  return GroupId;
}

const say = (client, group, text) => client.send('Text', group, { text }, { conversationType: 'GROUP' });
const said = (client) => client.received(({ type }) => type === 'TIMTextElem');

// back is the user on a client that logs in anew.
async function back(t, client) {
  await client.close();
  const again = server.guest(t, client.user);
  await again.login();
  return again;
}

test('groups stand among chats with their last messages and what is unread, also after the next login', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await made('Public', alice, bob);
  const id = `GROUP${group}`;
  await say(alice, group, 'one');
  await said(bob);
  await sleep(1000); // the order is by seconds
  await carol.text(bob, 'hi');
  await said(bob);
  const again = await back(t, bob);
  assert.deepEqual(await ids(again), [c2c(carol), id]);
  const { type, unreadCount, lastMessage, groupProfile, messageRemindType } = await of(again, id);
  assert.deepEqual([type, unreadCount, lastMessage.payload.text, lastMessage.fromAccount, groupProfile.name, messageRemindType],
    ['GROUP', 1, 'one', alice.user, 'team', 'AcceptAndNotify']);
  await eventually(async () => assert.equal(await again.call('getTotalUnreadMessageCount'), 2));

  await sleep(1000);
  await say(alice, group, 'two');
  await said(again);
  await eventually(async () => assert.equal((await of(again, id)).unreadCount, 2));
  await again.call('setMessageRead', { conversationID: id });
  await sleep(1000);
  const recalled = await say(alice, group, 'three');
  await said(again);
  await alice.call('revokeMessage', recalled);
  await again.next('MESSAGE_REVOKED');
  const last = await back(t, again);
  assert.deepEqual(await ids(last), [id, c2c(carol)]);
  const shown = await of(last, id);
  assert.deepEqual([shown.unreadCount, shown.lastMessage.isRevoked], [0, true]);
});

test('what is sent to a group while a client logs in is counted once', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [bob] = server.absent(t, 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  const group = await made('Public', alice, bob);
  const login = bob.login();
  for (let n = 0; n < 30; n++) await say(alice, group, `no. ${n}`);
  await login;
  await eventually(async () => assert.equal((await of(bob, `GROUP${group}`)).unreadCount, 30));
});

test('a group is removed, cleared, and comes back with the next message', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Public', alice, bob);
  const id = `GROUP${group}`;
  await say(alice, group, 'one');
  await said(bob);
  await bob.call('deleteConversation', id);
  assert.deepEqual(await ids(bob), []);
  const again = await back(t, bob);
  assert.deepEqual(await ids(again), []);
  await say(alice, group, 'two');
  await said(again);
  await eventually(async () => assert.equal((await of(again, id)).unreadCount, 1));
  const { data } = await again.call('getMessageList', { conversationID: id });
  assert.deepEqual(data.messageList.map(({ payload }) => payload.text), ['two']);
  await again.call('clearHistoryMessage', id);
  const last = await back(t, again);
  const shown = await of(last, id);
  assert.deepEqual([shown.unreadCount, shown.lastMessage.payload], [0, null]);
});

test('pins, marks, data and folders are kept', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await made('Public', alice, bob);
  const id = `GROUP${group}`;
  await say(alice, group, 'one');
  await said(bob);
  await sleep(1000);
  await carol.text(bob, 'hi');
  await said(bob);
  await bob.call('pinConversation', { conversationID: id, isPinned: true });
  const marked = await bob.call('markConversation', { conversationIDList: [id, c2c(carol)], markType: 1, enableMark: true });
  assert.deepEqual(marked.data.successConversationIDList, [id, c2c(carol)]);
  const named = await bob.call('setConversationCustomData', { conversationIDList: [c2c(carol)], customData: 'mine' });
  assert.deepEqual(named.data.successConversationIDList, [c2c(carol)]);
  const sorted = await bob.call('createConversationGroup', { conversationIDList: [id], groupName: 'work' });
  assert.deepEqual(sorted.data.successConversationIDList, [id]);
  await bob.call('addConversationsToGroup', { conversationIDList: [c2c(carol)], groupName: 'work' });
  await bob.call('renameConversationGroup', { oldName: 'work', newName: 'job' });
  await bob.call('deleteConversationsFromGroup', { conversationIDList: [id], groupName: 'job' });

  const again = await back(t, bob);
  assert.deepEqual(await ids(again), [id, c2c(carol)]);
  assert.deepEqual((await again.call('getConversationGroupList')).data, ['job']);
  const [first, second] = await list(again);
  assert.deepEqual([first.isPinned, first.markList, first.customData, first.conversationGroupList], [true, [1], '', []]);
  assert.deepEqual([second.isPinned, second.markList, second.customData, second.conversationGroupList], [false, [1], 'mine', ['job']]);
  await again.call('deleteConversationGroup', 'job');
  await again.call('pinConversation', { conversationID: id, isPinned: false });
  const last = await back(t, again);
  assert.deepEqual((await last.call('getConversationGroupList')).data, []);
  assert.deepEqual(await ids(last), [c2c(carol), id]);
});

test('a back end changes what a client sees at once', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'hi');
  await said(bob);
  const contact = { Type: 1, To_Account: alice.user };
  await server.rest('recentcontact/top', { From_Account: bob.user, OperationType: 1, RecentContactItem: [contact] });
  await eventually(async () => assert.equal((await of(bob, c2c(alice))).isPinned, true));
  await server.rest('recentcontact/mark_contact', {
    From_Account: bob.user, MarkItem: [{ OptType: 3, ContactItem: contact, SetMark: [0, 2], CustomMark: 'theirs' }],
  });
  await eventually(async () => {
    const { markList, customData } = await of(bob, c2c(alice));
    assert.deepEqual([markList, customData], [[1, 4], 'theirs']);
  });
  await server.rest('recentcontact/create_contact_group', { From_Account: bob.user, GroupContactItem: [{ GroupName: 'vip', ContactItem: [contact] }] });
  await eventually(async () => assert.deepEqual((await of(bob, c2c(alice))).conversationGroupList, ['vip']));
  await server.rest('recentcontact/update_contact_group', {
    From_Account: bob.user, UpdateType: 1, UpdateGroup: { UpdateGroupType: 1, OldGroupName: 'vip', NewGroupName: 'best' },
  });
  await eventually(async () => assert.deepEqual((await of(bob, c2c(alice))).conversationGroupList, ['best']));
  await server.rest('recentcontact/update_contact_group', {
    From_Account: bob.user, UpdateType: 1,
    UpdateGroup: { UpdateGroupType: 2, OldGroupName: 'best', ContactUpdateItem: [{ ContactOptType: 2, ContactItem: contact }] },
  });
  await eventually(async () => assert.deepEqual((await of(bob, c2c(alice))).conversationGroupList, []));
  await server.rest('recentcontact/del_contact_group', { From_Account: bob.user, GroupName: ['best'] });
  await eventually(async () => assert.deepEqual((await bob.call('getConversationGroupList')).data, []));
});

test('receive options and do-not-disturb are kept', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Public', alice, bob);
  await alice.text(bob, 'hi');
  await said(bob);
  await say(alice, group, 'one');
  await said(bob);
  const { data } = await bob.call('setMessageRemindType', { userIDList: [alice.user, 'nobody'], messageRemindType: 'AcceptNotNotify' });
  assert.deepEqual([data.successUserIDList, data.failureUserIDList], [[{ userID: alice.user }], [{ userID: 'nobody', code: 70107 }]]);
  await bob.call('setMessageRemindType', { groupID: group, messageRemindType: 'Discard' });
  await bob.call('setAllReceiveMessageOpt', { messageRemindType: 'AcceptNotNotify', startHour: 1, startMinute: 0, startSecond: 0, duration: 60 });
  const again = await back(t, bob);
  assert.equal((await of(again, c2c(alice))).messageRemindType, 'AcceptNotNotify');
  assert.equal((await of(again, `GROUP${group}`)).messageRemindType, 'Discard');
  const quiet = (await again.call('getAllReceiveMessageOpt')).data;
  assert.deepEqual([quiet.messageRemindType, quiet.isRepeated, quiet.endTime - quiet.startTime], ['AcceptNotNotify', true, 60]);
  await server.rest('im_msg_db_logic/admin_set_do_not_disturb', { To_Account: bob.user, StartTime: 0, EndTime: 0, IsRepeated: 0, Level: 0 });
  await again.next('ALL_RECEIVE_MESSAGE_OPT_UPDATED', ({ messageRemindType }) => messageRemindType === 'AcceptAndNotify');
});

test('everything is read at once', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await made('Public', alice, bob);
  await say(alice, group, 'one');
  await alice.text(bob, 'two');
  await carol.text(bob, 'three');
  for (let n = 0; n < 3; n++) await said(bob);
  await eventually(async () => assert.equal(await bob.call('getTotalUnreadMessageCount'), 3));
  await bob.call('setAllMessageRead', { scope: 'readAllMessage' });
  for (const client of [alice, carol]) await client.next('MESSAGE_READ_BY_PEER');
  const again = await back(t, bob);
  await eventually(async () => assert.deepEqual((await list(again)).map(({ unreadCount }) => unreadCount), [0, 0, 0]));
});

test('messages are deleted for oneself alone', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Public', alice, bob);
  await alice.text(bob, 'one');
  const kept = await said(bob);
  await alice.text(bob, 'two');
  await bob.call('deleteMessage', [await said(bob)]);
  await say(alice, group, 'three');
  await said(bob);
  await say(alice, group, 'four');
  await bob.call('deleteMessage', [await said(bob)]);
  const again = await back(t, bob);
  const { data } = await again.call('getMessageList', { conversationID: `GROUP${group}` });
  assert.deepEqual(data.messageList.map(({ payload }) => payload.text), ['three']);
  assert.deepEqual((await again.history(alice)).map(({ ID }) => ID), [kept.ID]);
  assert.deepEqual((await list(again)).map(({ lastMessage }) => lastMessage.payload.text).sort(), ['one', 'three']);
  assert.deepEqual((await alice.history(bob)).map(({ payload }) => payload.text), ['one', 'two']);
});

test('who was away learns that a message mentions him', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Public', alice, bob);
  await bob.close();
  await alice.send('TextAt', group, { text: '@bob', atUserList: [bob.user] }, { conversationType: 'GROUP' });
  const again = await back(t, bob);
  await eventually(async () => assert.deepEqual((await of(again, `GROUP${group}`)).groupAtInfoList.map(({ from, atTypeArray }) => [from, atTypeArray]),
    [[alice.user, [1]]]));
  await again.call('setMessageRead', { conversationID: `GROUP${group}` });
  const last = await back(t, again);
  assert.deepEqual((await of(last, `GROUP${group}`)).groupAtInfoList, []);
});
