// Members of groups by the SDK's own calls, and the lists that it keeps of groups and of what is unread.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, refused } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'group.member_fields': 'seat', 'login.web_instances': 2 } }); });
after(() => server.stop());

// made is a group of the first client's, made by its SDK, with the others in it.
async function made(type, owner, ...others) {
  const { data } = await owner.call('createGroup', { type, name: 'team', memberList: others.map(({ user }) => ({ userID: user })) });
  return data.group.groupID;
}

const notice = (client, kind) => client.received(({ type, payload }) => type === 'TIMGroupSystemNoticeElem' && payload.operationType === kind);
const groupsOf = (client) => client.call('getGroupList').then(({ data }) => data.groupList.map(({ groupID }) => groupID));

test('a member of a Work group brings others in, who have it in their lists from then on', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made('Private', alice, bob);
  const waiting = await notice(bob, 7); // the SDK's own first message shows him the group
  assert.equal(waiting.payload.groupProfile.groupID, groupID);
  const { data } = await bob.call('addGroupMember', { groupID, userIDList: [dave.user, bob.user] });
  assert.deepEqual([data.successUserIDList, data.existedUserIDList, data.failureUserIDList], [[dave.user], [bob.user], []]);
  assert.equal((await notice(dave, 7)).payload.operatorID, bob.user);
  await dave.next('GROUP_LIST_UPDATED', (list) => list.some((one) => one.groupID === groupID));
  for (const client of [alice, bob]) {
    const { payload } = await client.received((m) => m.type === 'TIMGroupTipElem' && m.payload.operationType === 1);
    assert.deepEqual(payload.userIDList, [dave.user]);
  }
  await eventually(async () => assert.ok((await groupsOf(dave)).includes(groupID)));
});

test('name cards and fields of members are theirs, and read by all', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made('Public', alice, bob);
  await bob.call('setGroupMemberNameCard', { groupID, nameCard: 'The Bob' });
  await bob.call('setGroupMemberCustomField', { groupID, memberCustomField: [{ key: 'seat', value: '4' }] });
  await alice.call('setGroupMemberNameCard', { groupID, userID: bob.user, nameCard: 'Bobby' });
  const { data } = await alice.call('getGroupMemberProfile', { groupID, userIDList: [bob.user], memberCustomFieldFilter: ['seat'] });
  assert.deepEqual(data.memberList.map(({ userID, nameCard, memberCustomField }) => [userID, nameCard, memberCustomField]),
    [[bob.user, 'Bobby', [{ key: 'seat', value: '4' }]]]);
  await bob.send('Text', groupID, { text: 'hi' }, { conversationType: 'GROUP' });
  const heard = await alice.received(({ payload }) => payload.text === 'hi');
  assert.equal(heard.nameCard, 'Bobby');
  assert.notEqual(await refused(dave.call('setGroupMemberNameCard', { groupID, nameCard: 'Dave' })), 0);
});

test('who decides lists the requests to join', async (t) => {
  const [alice, dave] = await server.cast(t, 'alice', 'dave');
  const groupID = await made('Public', alice);
  assert.equal((await dave.call('joinGroup', { groupID, applyMessage: 'let me in' })).data.status, 'WaitAdminApproval');
  await notice(alice, 1);
  const applications = async () => (await alice.call('getGroupApplicationList')).data.applicationList;
  const [one] = (await applications()).filter((a) => a.groupID === groupID);
  assert.deepEqual([one.applicant, one.note, one.applicationType], [dave.user, 'let me in', 0]);
  await alice.call('handleGroupApplication', { handleAction: 'Agree', application: one });
  await notice(dave, 2);
  await alice.received((m) => m.type === 'TIMGroupTipElem' && m.payload.operationType === 1);
  assert.deepEqual((await applications()).filter((a) => a.groupID === groupID), []);
  await dave.next('GROUP_LIST_UPDATED', (list) => list.some((g) => g.groupID === groupID));
});

test('messages of groups count in the total of what is unread, and go with the group', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const groupID = await made('Public', alice, bob);
  await notice(bob, 7);
  await alice.send('Text', groupID, { text: 'one' }, { conversationType: 'GROUP' });
  await bob.received(({ payload }) => payload.text === 'one');
  await bob.next('TOTAL_UNREAD_MESSAGE_COUNT_UPDATED', (n) => n === 2); // with that by which the SDK opens a group
  await alice.send('Text', groupID, { text: 'two' }, { conversationType: 'GROUP' });
  await bob.received(({ payload }) => payload.text === 'two');
  await bob.next('TOTAL_UNREAD_MESSAGE_COUNT_UPDATED', (n) => n === 3);
  await bob.call('setMessageRead', { conversationID: `GROUP${groupID}` });
  await bob.next('TOTAL_UNREAD_MESSAGE_COUNT_UPDATED', (n) => n === 0);
  await alice.call('dismissGroup', groupID);
  await notice(bob, 5);
  await bob.next('GROUP_LIST_UPDATED', (list) => !list.some((g) => g.groupID === groupID));
});

test('folders hold groups, on every device', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const other = server.guest(t, alice.user);
  await other.login();
  const groupID = await made('Public', alice);
  const conversationIDList = [`GROUP${groupID}`];
  await other.next('CONVERSATION_LIST_UPDATED', (list) => list.some((one) => conversationIDList.includes(one.conversationID)));
  await alice.call('createConversationGroup', { conversationIDList, groupName: 'teams' });
  for (const client of [alice, other]) await client.next('CONVERSATION_GROUP_LIST_UPDATED', (list) => list.includes('teams'));
  const holds = (list) => other.next('CONVERSATION_IN_GROUP_UPDATED', ({ groupName, conversationList }) => groupName === 'teams'
    && conversationList.map(({ conversationID }) => conversationID).join() === list.join());
  await alice.call('deleteConversationsFromGroup', { conversationIDList, groupName: 'teams' });
  await holds([]);
  await alice.call('addConversationsToGroup', { conversationIDList, groupName: 'teams' });
  await holds(conversationIDList);
  await alice.call('deleteConversationGroup', 'teams');
  for (const client of [alice, other]) await client.next('CONVERSATION_GROUP_LIST_UPDATED', (list) => !list.includes('teams'));
});
