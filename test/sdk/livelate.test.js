// Live rooms: what was said before one came, and what clients hear that never log in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'live.backlog': 3 } }); });
after(() => server.stop());

const room = async (client) => (await client.call('createGroup', { type: 'AVChatRoom', name: 'show' })).data.group.groupID;
const join = (client, groupID) => client.call('joinGroup', { groupID, type: 'AVChatRoom' });
const say = (client, group, text, extra = {}) => client.send('Text', group, { text }, { conversationType: 'GROUP', ...extra });
const said = (client, text) => client.received((message) => message.type === 'TIMTextElem' && textOf(message) === text);

test('who comes late is given the newest messages, and hears the next ones', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await room(alice);
  await join(alice, group);
  for (const text of ['one', 'two', 'three', 'four']) await say(alice, group, text);
  await eventually(async () => { // the last of them has left its window
    const { Total } = await server.rest('magpie_live/get_ledger', { GroupId: group });
    assert.equal(Total.reduce((sum, { Pushed }) => sum + Pushed, 0), 4);
  });
  await join(bob, group);
  for (const text of ['two', 'three', 'four']) {
    const message = await said(bob, text);
    assert.deepEqual([message.from, message.to], [alice.user, group]);
  }
  await say(alice, group, 'five');
  await said(bob, 'five');
  assert.deepEqual(bob.left('MESSAGE_RECEIVED').filter(({ type }) => type === 'TIMTextElem'), []);
});

test('without a login a client hears what is said, and no more', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [visitor] = server.absent(t, 'visitor');
  const group = await room(alice);
  await join(alice, group);
  await join(visitor, group);
  const first = await say(alice, group, 'hello');
  const message = await said(visitor, 'hello');
  assert.deepEqual([message.ID, message.from, message.to], [first.ID, alice.user, group]);
  await say(alice, group, 'and again');
  await said(visitor, 'and again');
  assert.ok(await refused(say(visitor, group, 'me too')));
  await alice.call('dismissGroup', group);
  await visitor.received(({ type, payload }) => type === 'TIMGroupSystemNoticeElem' && payload.operationType === 5);
});

test('a client without a login enters no other group', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [visitor] = server.absent(t, 'visitor');
  const { data } = await alice.call('createGroup', { type: 'Public', name: 'club' });
  assert.equal(await refused(join(visitor, data.group.groupID)), 10007);
});

test('who recalls in a live room is heard by those inside, with a login or without', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const [visitor] = server.absent(t, 'visitor');
  const group = await room(alice);
  for (const client of [alice, bob, visitor]) await join(client, group);
  const message = await say(alice, group, 'oops');
  await said(bob, 'oops');
  await said(visitor, 'oops');
  await alice.call('revokeMessage', message);
  for (const client of [bob, visitor]) {
    const recalled = await client.next('MESSAGE_REVOKED');
    assert.equal(recalled.ID, message.ID);
  }
});

test('a broadcast is heard in every live room', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const [visitor] = server.absent(t, 'visitor');
  for (const client of [alice, bob]) await join(client, await room(client));
  await join(visitor, await room(alice));
  await server.rest('group_open_http_svc/send_broadcast_msg', {
    From_Account: alice.user, Random: 77, MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data: 'to all', Desc: '', Ext: '' } }],
  });
  for (const client of [alice, bob, visitor]) {
    const { payload, from, isBroadcastMessage } = await client.received(({ type }) => type === 'TIMCustomElem');
    assert.deepEqual([payload.data, from, Boolean(isBroadcastMessage)], ['to all', alice.user, true]);
  }
});

test('the owner marks who is inside, and the list has the marks', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await room(alice);
  for (const client of [alice, bob, carol]) await join(client, group);
  const { data } = await alice.call('markGroupMemberList', { groupID: group, userIDList: [bob.user, 'nobody'], markType: 1000, enableMark: true });
  assert.deepEqual([data.successUserIDList, data.failureUserIDList], [[bob.user], ['nobody']]);
  const marked = await alice.call('getGroupMemberList', { groupID: group, filter: 1000 });
  assert.deepEqual(marked.data.memberList.map(({ userID }) => userID), [bob.user]);
  assert.equal(await refused(bob.call('markGroupMemberList', { groupID: group, userIDList: [carol.user], markType: 1000, enableMark: true })), 10007);
});
