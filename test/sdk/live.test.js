// Live rooms: who enters them, and what is said there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const room = async (client) => (await client.call('createGroup', { type: 'AVChatRoom', name: 'show' })).data.group.groupID;
const join = (client, groupID) => client.call('joinGroup', { groupID, type: 'AVChatRoom' });
const say = (client, group, text, extra = {}) => client.send('Text', group, { text }, { conversationType: 'GROUP', ...extra });
const said = (client) => client.received(({ type }) => type === 'TIMTextElem');
const tip = (client, kind) => client.received(({ type, payload }) => type === 'TIMGroupTipElem' && payload.operationType === kind);

test('whoever enters a live room hears what is said there, and his own words once', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await room(alice);
  for (const client of [alice, bob, carol]) {
    const { data } = await join(client, group);
    assert.equal(data.status, 'JoinedSuccess');
  }
  const entered = await tip(alice, 1);
  assert.ok(entered.payload.userIDList.length > 0);
  const first = await say(bob, group, 'hello');
  for (const client of [alice, carol]) {
    const message = await said(client);
    assert.deepEqual([message.ID, textOf(message), message.from, message.to, message.conversationID],
      [first.ID, 'hello', bob.user, group, `GROUP${group}`]);
  }
  await say(carol, group, 'hi', { priority: 'High' });
  assert.equal(textOf(await said(bob)), 'hi'); // and not his own message before it
  await server.rest('group_open_http_svc/send_group_msg', {
    GroupId: group, From_Account: alice.user, Random: 7, MsgPriority: 'High',
    MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: 'gift', Desc: '', Ext: '' } }],
  });
  const gift = await bob.received(({ type }) => type === 'TIMCustomElem');
  assert.equal(gift.payload.data, 'gift');
  await eventually(async () => { // a tip tells the client, a second after the one before
    const { data } = await alice.call('getGroupOnlineMemberCount', group);
    assert.equal(data.memberCount, 3);
  });
});

test('many messages of one moment come all, in order', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await room(alice);
  await join(alice, group);
  await join(bob, group);
  const texts = Array.from({ length: 20 }, (_, i) => `message ${i}`);
  await Promise.all(texts.map((text) => say(alice, group, text)));
  const heard = [];
  for (const _ of texts) heard.push(textOf(await said(bob)));
  assert.deepEqual(heard, texts);
});

test('who leaves hears nothing more, and a destroyed room is gone', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await room(alice);
  for (const client of [alice, bob, carol]) await join(client, group);
  await bob.call('quitGroup', group);
  await tip(alice, 2);
  await say(alice, group, 'after');
  assert.equal(textOf(await said(carol)), 'after');
  assert.deepEqual(bob.left('MESSAGE_RECEIVED').filter(({ type }) => type === 'TIMTextElem'), []);
  assert.ok(await refused(say(bob, group, 'still here')));
  await alice.call('dismissGroup', group);
  await carol.received(({ type, payload }) => type === 'TIMGroupSystemNoticeElem' && payload.operationType === 5);
  assert.equal(await refused(join(bob, group)), 10010);
});

test('a change of the profile, a mute and a ban reach their clients', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await room(alice);
  await join(alice, group);
  await join(bob, group);
  await alice.call('updateGroupProfile', { groupID: group, notification: 'soon' });
  const changed = await tip(bob, 6);
  assert.equal(changed.payload.newGroupProfile.notification, 'soon');
  await alice.call('setGroupMemberMuteTime', { groupID: group, userID: bob.user, muteTime: 60 });
  assert.equal(await refused(say(bob, group, 'muted')), 10017);
  const { data: { memberList } } = await alice.call('getGroupMemberList', { groupID: group });
  assert.deepEqual(memberList.map(({ userID }) => userID).sort(), [alice.user, bob.user].sort());
  await alice.call('deleteGroupMember', { groupID: group, userIDList: [bob.user], duration: 60, reason: 'spam' });
  await bob.received(({ type, payload }) => type === 'TIMGroupSystemNoticeElem' && payload.operationType === 21);
  assert.equal(await refused(join(bob, group)), 10007);
});
