// What does not exist yet: every call ends, soon, with a result or a code, and the client stays as it was.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, SDKError } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
let alice;
let bob;
before(async () => {
  server = await Server.start();
  [alice, bob] = ['alice', 'bob'].map((user) => server.client(user));
  await Promise.all([alice.login(), bob.login()]);
});
after(() => server.stop());

// Calls of things that do not exist yet, or partly. None may hang, and each that is built one day may stay here.
const calls = [
  ['modifyMessage', () => [alice.sent]],
  ['deleteMessage', () => [[alice.sent]]],
  ['clearHistoryMessage', () => [c2c(bob)]],
  ['pinConversation', () => [{ conversationID: c2c(bob), isPinned: true }]],
  ['setAllMessageRead', () => [{ scope: 'readAllMessage' }]],
  ['setMessageRemindType', () => [{ userIDList: [bob.user], messageRemindType: 'Discard' }]],
  ['setAllReceiveMessageOpt', () => [{ messageRemindType: 'AcceptNotNotify', startHour: 0, startMinute: 0, startSecond: 0, duration: 60 }]],
  ['getAllReceiveMessageOpt', () => []],
  ['setConversationCustomData', () => [{ conversationIDList: [c2c(bob)], customData: 'x' }]],
  ['markConversation', () => [{ conversationIDList: [c2c(bob)], markType: 1, enableMark: true }]],
  ['createConversationGroup', () => [{ conversationIDList: [c2c(bob)], groupName: 'work' }]],
  ['getConversationGroupList', () => []],
  ['addToBlacklist', () => [{ userIDList: [bob.user] }]],
  ['removeFromBlacklist', () => [{ userIDList: [bob.user] }]],
  ['getBlacklist', () => []],
  ['addFriend', () => [{ to: bob.user, source: 'AddSource_Type_Web', wording: 'hi', type: 'Add_Type_Both' }]],
  ['deleteFriend', () => [{ userIDList: [bob.user], type: 'Delete_Type_Both' }]],
  ['checkFriend', () => [{ userIDList: [bob.user], type: 'CheckResult_Type_Both' }]],
  ['getFriendList', () => []],
  ['createFriendGroup', () => [{ name: 'family', userIDList: [bob.user] }]],
  ['followUser', () => [[bob.user]]],
  ['createGroup', () => [{ type: 'Public', name: 'a group' }]],
  ['joinGroup', () => [{ groupID: 'no-such-group' }]],
  ['searchGroupByID', () => ['no-such-group']],
  ['getGroupList', () => []],
  ['getJoinedCommunityList', () => []],
  ['addMessageReaction', () => [alice.sent, 'smile']],
  ['setMessageExtensions', () => [alice.sent, [{ key: 'a', value: 'b' }]]],
  ['sendMessageReadReceipt', () => [[alice.got]]],
  ['translateText', () => [{ sourceTextList: ['hello'], sourceLanguage: 'en', targetLanguage: 'zh' }]],
  ['searchCloudMessages', () => [{ keywordList: ['hello'] }]],
  ['callExperimentalAPI', () => ['isCommercialAbilityEnabled', 2]],
];

test('calls of what does not exist yet end with a result or a code', async (t) => {
  alice.sent = await alice.text(bob, 'one', { isSupportExtension: true });
  alice.got = await bob.text(alice, 'two', { needReadReceipt: true });
  await alice.received();
  await bob.received();
  const results = {};
  for (const [method, args] of calls) {
    const outcome = alice.call(method, ...args()).then(() => 'done', (error) => {
      assert.ok(error instanceof SDKError, `${method}: ${error.stack}`);
      return error.code;
    });
    results[method] = await Promise.race([outcome, sleep(5000, 'hangs', { ref: false })]);
  }
  t.diagnostic(Object.entries(results).map(([method, outcome]) => `${method} ${outcome}`).join(', '));
  for (const [method, outcome] of Object.entries(results)) {
    assert.ok(outcome === 'done' || Number.isInteger(outcome), `${method} gave ${outcome}`);
  }
});

test('and the client works as before', async () => {
  await alice.text(bob, 'after all that');
  assert.equal(textOf(await bob.received()), 'after all that');
  assert.equal(await alice.call('isReady'), true);
  assert.equal((await alice.frames({ direction: 'open' })).length, 1);
  for (const client of [alice, bob]) assert.deepEqual(client.left('FAULT'), []);
});
