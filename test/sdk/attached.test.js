// What is attached to messages of both kinds: receipts, reactions, extensions and pins.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { c2c, quiet } from './harness/client.js';
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
const said = (client) => client.received(({ type }) => type === 'TIMTextElem');

test('the sender of a one-to-one message learns that it was read, and finds it in the history', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'read this', { needReadReceipt: true });
  const got = await bob.received();
  assert.equal(got.needReadReceipt, true);
  await bob.call('sendMessageReadReceipt', [got]);
  const receipt = await alice.next('MESSAGE_READ_RECEIPT_RECEIVED');
  assert.deepEqual([receipt.userID, receipt.messageID, receipt.isPeerRead], [bob.user, sent.ID, true]);
  const again = server.client(alice.user);
  await again.login();
  const { data } = await again.call('getMessageList', { conversationID: c2c(bob) });
  assert.equal(data.messageList.find(({ ID }) => ID === sent.ID).readReceiptInfo.isPeerRead, true);
  await again.close();
  await quiet(bob);
});

test('the sender of a group message learns how many have read it, and who', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const group = await made('Public', alice, bob, carol);
  const sent = await say(alice, group, 'read this', { needReadReceipt: true });
  const got = await said(bob);
  await bob.call('sendMessageReadReceipt', [got]);
  const receipt = await alice.next('MESSAGE_READ_RECEIPT_RECEIVED');
  assert.deepEqual([receipt.groupID, receipt.messageID, receipt.readCount, receipt.unreadCount], [group, sent.ID, 1, 1]);
  const { data } = await alice.call('getMessageReadReceiptList', [sent]);
  const { readCount, unreadCount } = data.messageList[0].readReceiptInfo;
  assert.deepEqual([readCount, unreadCount], [1, 1]);
  const list = async (filter) => (await alice.call('getGroupMessageReadMemberList', { message: sent, filter, cursor: '', count: 10 })).data;
  assert.deepEqual((await list(0)).readUserIDList, [bob.user]);
  assert.deepEqual((await list(1)).unreadUserIDList, [carol.user]);
  assert.equal((await list(1)).isCompleted, true);
});

// told is a summary of reactions in short.
const told = (list) => list.map(({ reactionID, totalUserCount, partialUserList, reactedByMyself }) => (
  [reactionID, totalUserCount, partialUserList.map(({ userID }) => userID).join(), reactedByMyself]));

// both tells a story about a message in a one-to-one chat, and about one in a group: sent is the sender's, got the receiver's.
function both(name, story, extra) {
  test(`${name}, one to one`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');
    const sent = await alice.text(bob, 'look', extra);
    await story(alice, bob, sent, await bob.received());
  });
  test(`${name}, in a group`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');
    const group = await made('Public', alice, bob);
    const sent = await say(alice, group, 'look', extra);
    await story(alice, bob, sent, await said(bob), group);
  });
}

both('reactions are told and read', async (alice, bob, sent, got) => {
  await bob.call('addMessageReaction', got, 'smile');
  for (const [client, own] of [[alice, false], [bob, true]]) {
    const { messageID, reactionList } = await client.next('MESSAGE_REACTIONS_UPDATED');
    assert.deepEqual([messageID, told(reactionList)], [sent.ID, [['smile', 1, bob.user, own]]]);
  }
  await alice.call('addMessageReaction', sent, 'smile');
  for (const client of [alice, bob]) {
    const { reactionList } = await client.next('MESSAGE_REACTIONS_UPDATED');
    assert.deepEqual(told(reactionList), [['smile', 2, `${bob.user},${alice.user}`, true]]);
  }
  const { data } = await alice.call('getMessageReactions', { messageList: [sent], maxUserCountPerReaction: 1 });
  assert.deepEqual(data.resultList.map(({ messageID, reactionList }) => [messageID, told(reactionList)]), [[sent.ID, [['smile', 2, bob.user, true]]]]);
  const list = await alice.call('getAllUserListOfMessageReaction', { message: sent, reactionID: 'smile', nextSeq: 0, count: 10 });
  assert.deepEqual([list.data.userList.map(({ userID }) => userID), list.data.isCompleted], [[bob.user, alice.user], true]);
  await bob.call('removeMessageReaction', got, 'smile');
  for (const [client, own] of [[alice, true], [bob, false]]) {
    const { reactionList } = await client.next('MESSAGE_REACTIONS_UPDATED');
    assert.deepEqual(told(reactionList), [['smile', 1, alice.user, own]]);
  }
});

both('extensions are set, told, read and deleted', async (alice, bob, sent, got) => {
  const { data } = await alice.call('setMessageExtensions', sent, [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]);
  assert.deepEqual(data.extensions, [{ code: 0, key: 'a', value: '1' }, { code: 0, key: 'b', value: '2' }]);
  const update = await bob.next('MESSAGE_EXTENSIONS_UPDATED');
  assert.deepEqual([update.messageID, update.extensions], [sent.ID, [{ key: 'a', value: '1' }, { key: 'b', value: '2' }]]);
  // bob was told, and so knows which write he changes.
  assert.deepEqual((await bob.call('setMessageExtensions', got, [{ key: 'a', value: '3' }])).data.extensions, [{ code: 0, key: 'a', value: '3' }]);
  await alice.next('MESSAGE_EXTENSIONS_UPDATED');
  await alice.call('deleteMessageExtensions', sent, ['b']);
  assert.deepEqual((await bob.next('MESSAGE_EXTENSIONS_DELETED')).keyList, ['b']);
  // A new device knows nothing, and reads.
  const again = server.client(bob.user);
  await again.login();
  const at = (got.conversationType === 'C2C') ? c2c(alice) : `GROUP${got.to}`;
  const { data: { messageList } } = await again.call('getMessageList', { conversationID: at });
  const message = messageList.find(({ ID }) => ID === sent.ID);
  assert.deepEqual((await again.call('getMessageExtensions', message)).data.extensions, [{ key: 'a', value: '3' }]);
  await again.call('deleteMessageExtensions', message);
  assert.deepEqual((await alice.next('MESSAGE_EXTENSIONS_DELETED')).keyList, ['a']);
  assert.deepEqual((await again.call('getMessageExtensions', message)).data.extensions, []);
  await again.close();
}, { isSupportExtension: true });

test('messages of a group are pinned, listed and unpinned', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const groupID = await made('Public', alice, bob);
  const one = await say(alice, groupID, 'one');
  const two = await say(alice, groupID, 'two');
  await said(bob);
  const got = await said(bob);
  for (const [message, client] of [[one, alice], [got, bob]]) {
    await client.call('pinGroupMessage', { groupID, message, isPinned: true });
    for (const each of [alice, bob]) {
      const news = await each.next('PINNED_GROUP_MESSAGE_UPDATED');
      assert.deepEqual([news.groupID, news.isPinned, news.message.ID, news.message.payload.text, news.operatorInfo.userID],
        [groupID, true, message.ID, message.payload.text, client.user]);
    }
  }
  const { data } = await bob.call('getPinnedGroupMessageList', groupID);
  assert.deepEqual(data.messageList.map(({ ID, pinnerInfo }) => [ID, pinnerInfo.userID]), [[one.ID, alice.user], [two.ID, bob.user]]);
  await alice.call('pinGroupMessage', { groupID, message: two, isPinned: false });
  const news = await bob.next('PINNED_GROUP_MESSAGE_UPDATED');
  assert.deepEqual([news.isPinned, news.message.ID, news.operatorInfo.userID], [false, two.ID, alice.user]);
  await alice.call('revokeMessage', one);
  const ended = await bob.next('PINNED_GROUP_MESSAGE_UPDATED');
  assert.deepEqual([ended.isPinned, ended.message.ID], [false, one.ID]);
  assert.deepEqual((await bob.call('getPinnedGroupMessageList', groupID)).data.messageList, []);
});
