// What members of a group are told of what changes in it, and find in its history.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const group = (command, body) => server.rest(`group_open_http_svc/${command}`, body);

// made is a public group of the first client's that anybody joins, with the others in it.
async function made(owner, ...others) {
  const { GroupId } = await group('create_group', {
    Type: 'Public', Name: 'team', Owner_Account: owner.user, ApplyJoinOption: 'FreeAccess',
    MemberList: others.map(({ user }) => ({ Member_Account: user })),
  });
  return GroupId;
}

// tip is the next tip of a kind.
const tip = (client, kind) => client.received(({ type, payload }) => type === 'TIMGroupTipElem' && payload.operationType === kind);

test('members see who joins and leaves, and what becomes of members and group', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  await server.rest('im_open_login_svc/account_import', { UserID: dave.user, Nick: 'Dave', FaceUrl: 'http://x/dave.png' });
  const groupID = await made(alice, bob);
  await dave.call('joinGroup', { groupID });
  for (const client of [alice, bob, dave]) {
    const { payload, sequence, nick, avatar, conversationID, from } = await tip(client, 1);
    assert.deepEqual([payload.userIDList, payload.operatorID, payload.groupJoinType, payload.memberCount, sequence, nick, avatar, conversationID, from],
      [[dave.user], dave.user, 1, 3, 1, 'Dave', 'http://x/dave.png', `GROUP${groupID}`, '@TIM#SYSTEM']);
  }
  await alice.call('setGroupMemberRole', { groupID, userID: bob.user, role: 'Admin' });
  for (const client of [alice, bob, dave]) assert.deepEqual((await tip(client, 4)).payload.userIDList, [bob.user]);
  await alice.call('setGroupMemberRole', { groupID, userID: bob.user, role: 'Member' });
  for (const client of [alice, bob, dave]) assert.deepEqual((await tip(client, 5)).payload.userIDList, [bob.user]);
  await alice.call('setGroupMemberMuteTime', { groupID, userID: bob.user, muteTime: 60 });
  for (const client of [bob, dave]) {
    const { payload } = await tip(client, 7);
    assert.deepEqual([payload.operatorID, payload.memberList[0].userID, payload.memberList[0].muteTime], [alice.user, bob.user, 60]);
  }
  await alice.call('updateGroupProfile', { groupID, name: 'band', notification: 'hush' });
  for (const client of [bob, dave]) {
    const { payload } = await tip(client, 6);
    assert.deepEqual(payload.newGroupProfile, { groupName: 'band', notification: 'hush' });
    await eventually(async () => {
      const { data } = await client.call('getGroupProfile', { groupID });
      assert.equal(data.group.name, 'band');
    });
  }
  await alice.call('deleteGroupMember', { groupID, userIDList: [bob.user], reason: 'too loud' });
  const kicked = await tip(dave, 3);
  assert.deepEqual([kicked.payload.userIDList, kicked.payload.memberCount, kicked.payload.memberList[0].reason], [[bob.user], 2, 'too loud']);
  await alice.call('changeGroupOwner', { groupID, newOwnerID: dave.user });
  assert.equal((await tip(dave, 6)).payload.newGroupProfile.ownerID, dave.user);
  await alice.call('quitGroup', groupID);
  const quit = await tip(dave, 2);
  assert.deepEqual([quit.payload.userIDList, quit.payload.memberCount], [[alice.user], 1]);

  const { data } = await dave.call('getMessageList', { conversationID: `GROUP${groupID}` });
  assert.deepEqual(data.messageList.map(({ type, payload, sequence, isRevoked }) => [type, payload.operationType, sequence, isRevoked]),
    [1, 4, 5, 7, 6, 3, 6, 2].map((kind, at) => ['TIMGroupTipElem', kind, at + 1, false]));
});

test('who comes back reads the tips that he missed', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const groupID = await made(alice, bob);
  await bob.call('logout');
  await alice.call('updateGroupProfile', { groupID, name: 'later' });
  await bob.login();
  await eventually(async () => {
    const { data } = await bob.call('getMessageList', { conversationID: `GROUP${groupID}` });
    assert.deepEqual(data.messageList.map(({ type, payload, from }) => [type, payload.newGroupProfile, payload.operatorID, from]),
      [['TIMGroupTipElem', { groupName: 'later' }, alice.user, '@TIM#SYSTEM']]);
  });
});

// notice is the next notification of a kind.
const notice = (client, kind) => client.received(({ type, payload }) => type === 'TIMGroupSystemNoticeElem' && payload.operationType === kind);

test('a request to join reaches who decides, who answers it by what he is told, and the one who asked', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made(alice, bob);
  await alice.call('updateGroupProfile', { groupID, joinOption: 'NeedPermission' });
  assert.equal((await dave.call('joinGroup', { groupID, applyMessage: 'let me in' })).data.status, 'WaitAdminApproval');
  const asked = await notice(alice, 1);
  assert.deepEqual([asked.payload.operatorID, asked.payload.handleMessage, asked.payload.groupProfile.groupID, asked.conversationID],
    [dave.user, 'let me in', groupID, '@TIM#SYSTEM']);
  await alice.call('handleGroupApplication', { handleAction: 'Agree', handleMessage: 'welcome', message: asked });
  assert.equal((await notice(dave, 2)).payload.handleMessage, 'welcome');
  assert.deepEqual((await tip(bob, 1)).payload.userIDList, [dave.user]);
  await eventually(async () => {
    const { data } = await dave.call('getGroupList');
    assert.deepEqual(data.groupList.filter((one) => one.groupID === groupID).map(({ name }) => name), ['team']);
  });
});

test('who is added, removed or made an administrator, and whose group is destroyed, hears of it', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made(alice, bob);
  await group('add_group_member', { GroupId: groupID, MemberList: [{ Member_Account: dave.user }] });
  assert.equal((await notice(dave, 7)).payload.groupProfile.groupID, groupID);
  await eventually(async () => assert.equal((await dave.call('getGroupProfile', { groupID })).data.group.name, 'team'));
  await alice.call('getGroupProfile', { groupID }); // the back end made it, so the SDK does not know her role yet
  await alice.call('setGroupMemberRole', { groupID, userID: dave.user, role: 'Admin' });
  await notice(dave, 9);
  await eventually(async () => assert.equal((await dave.call('getGroupProfile', { groupID })).data.group.selfInfo.role, 'Admin'));
  await alice.call('setGroupMemberRole', { groupID, userID: dave.user, role: 'Member' });
  await notice(dave, 10);
  await alice.call('deleteGroupMember', { groupID, userIDList: [dave.user], reason: 'bye' });
  assert.equal((await notice(dave, 4)).payload.handleMessage, 'bye');
  const groups = async (client) => (await client.call('getGroupList')).data.groupList.map((one) => one.groupID);
  await eventually(async () => assert.ok(!(await groups(dave)).includes(groupID)));
  await alice.call('dismissGroup', groupID);
  await notice(bob, 5);
  await eventually(async () => assert.ok(!(await groups(bob)).includes(groupID)));
});

test('who was away finds what he was told', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made(alice, bob);
  await alice.call('updateGroupProfile', { groupID, joinOption: 'NeedPermission' });
  await alice.call('logout');
  await dave.call('joinGroup', { groupID, applyMessage: 'let me in' });
  await alice.login();
  await eventually(async () => {
    const { data } = await alice.call('getMessageList', { conversationID: '@TIM#SYSTEM' });
    assert.deepEqual(data.messageList.filter(({ payload }) => payload.operationType === 1).map(({ payload }) => payload.handleMessage), ['let me in']);
  });
});
