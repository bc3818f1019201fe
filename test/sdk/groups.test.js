// What is said in groups.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// made is a group of the first client's, with the others in it.
async function made(type, owner, ...others) {
  const { GroupId } = await server.rest('group_open_http_svc/create_group', {
    Type: type, Name: 'team', Owner_Account: owner.user, MemberList: others.map(({ user }) => ({ Member_Account: user })),
  });
  return GroupId;
}

const say = (client, group, text, extra = {}) => client.send('Text', group, { text }, { conversationType: 'GROUP', ...extra });

const told = (messages) => messages.filter(({ type }) => type === 'TIMTextElem').map((m) => [textOf(m), m.isRevoked]);

// Notices of the group itself are no part of these stories.
const said = (client) => client.received(({ type }) => type === 'TIMTextElem');

test('members of a group hear each other, read what was said, and take it back', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await made('Public', alice, bob, carol);
  const first = await say(alice, group, 'hello');
  assert.equal(first.sequence, 1);
  for (const client of [bob, carol]) {
    const message = await said(client);
    assert.deepEqual([message.ID, textOf(message), message.from, message.to, message.sequence, message.conversationID],
      [first.ID, 'hello', alice.user, group, 1, `GROUP${group}`]);
  }
  const second = await say(bob, group, 'hi');
  for (const client of [alice, carol]) assert.equal((await said(client)).ID, second.ID);
  await server.rest('group_open_http_svc/send_group_msg', {
    GroupId: group, From_Account: carol.user, Random: 7, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'by the back end' } }],
  });
  for (const client of [alice, bob, carol]) assert.equal(textOf(await said(client)), 'by the back end');

  await bob.call('revokeMessage', second);
  for (const client of [alice, carol]) assert.equal((await client.next('MESSAGE_REVOKED')).ID, second.ID);
  assert.equal(await refused(carol.call('revokeMessage', first)), 10032);

  for (const client of [alice, bob]) {
    const { data } = await client.call('getMessageList', { conversationID: `GROUP${group}` });
    assert.deepEqual(told(data.messageList), [['hello', false], ['hi', true], ['by the back end', false]]);
  }
});

test('a member edits a message, and all see it', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Private', alice, bob);
  const message = await say(alice, group, 'first');
  await said(bob);
  await bob.call('getMessageList', { conversationID: `GROUP${group}` }); // his SDK has just met the group
  await alice.edit(message, { payload: { text: 'second' } });
  const edited = await bob.next('MESSAGE_MODIFIED');
  assert.deepEqual([edited.ID, textOf(edited)], [message.ID, 'second']);
});

test('who is not a member is refused, and a removed member hears nothing more', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const group = await made('Public', alice, bob);
  assert.equal(await refused(say(dave, group, 'let me in')), 10007);
  await server.rest('group_open_http_svc/delete_group_member', { GroupId: group, MemberToDel_Account: [bob.user], Silence: 1 });
  await say(alice, group, 'after');
  assert.equal(await refused(say(bob, group, 'still here')), 10007);
  await quiet(dave);
  assert.deepEqual(bob.left('MESSAGE_RECEIVED').filter(({ type }) => type === 'TIMTextElem'), []);
});

test('a message that is only for those who are online is in no history', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('ChatRoom', alice, bob);
  await alice.send('Text', group, { text: 'typing' }, { conversationType: 'GROUP', options: { onlineUserOnly: true } });
  assert.equal(textOf(await said(bob)), 'typing');
  await say(alice, group, 'typed');
  assert.equal(textOf(await said(bob)), 'typed');
  await eventually(async () => {
    const { data } = await bob.call('getMessageList', { conversationID: `GROUP${group}` });
    assert.ok(told(data.messageList).some(([text]) => text === 'typed'));
  });
});

test('a back end notifies the members of a group', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const group = await made('Public', alice, bob);
  await server.rest('group_open_http_svc/send_group_system_notification', { GroupId: group, Content: 'closed tomorrow' });
  for (const client of [alice, bob]) {
    const { payload } = await client.received(({ type, payload: { operationType } }) => type === 'TIMGroupSystemNoticeElem' && operationType === 255);
    assert.deepEqual([payload.userDefinedField, payload.groupProfile.groupID], ['closed tomorrow', group]);
  }
});
