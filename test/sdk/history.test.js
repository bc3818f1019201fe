// Roaming history: paging, by time, and what a user deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { c2c, quiet } from './harness/client.js';
import { brief, textOf } from './harness/message.js';
import { Server, textElement } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const numbered = (count) => Array.from({ length: count }, (_, i) => `no. ${i}`);

// past imports messages that were sent some seconds apart, long ago, and gives the time of the first.
async function past(from, to, texts, apart) {
  const start = Math.floor(Date.now() / 1000) - 24 * 3600;
  for (const [i, text] of texts.entries()) {
    await server.rest('openim/importmsg', {
      SyncFromOldSystem: 2, From_Account: (i % 2 ? to : from).user, To_Account: (i % 2 ? from : to).user, MsgSeq: i,
      MsgRandom: 1000 + i, MsgTimeStamp: start + i * apart, MsgBody: [textElement(text)],
    });
  }
  return start;
}

test('history comes page by page, newest page first, each page oldest first', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const texts = numbered(40);
  const sent = [];
  for (const [i, text] of texts.entries()) {
    const [from, to] = i % 3 ? [alice, bob] : [bob, alice];
    sent.push(await from.text(to, text));
    await to.received();
  }
  await quiet(alice, bob);
  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  await again.call('setMessageRead', { conversationID: c2c(bob) });

  const sizes = [];
  const all = [];
  let page = {};
  do {
    const { data } = await again.call('getMessageList', {
      conversationID: c2c(bob), nextReqMessageID: page.nextReqMessageID,
    });
    page = data;
    sizes.push(data.messageList.length);
    all.unshift(...data.messageList);
  } while (!page.isCompleted);
  assert.deepEqual(all.map(brief), sent.map(brief));
  assert.deepEqual(sizes, [15, 15, 10]);
  assert.deepEqual(all.map(({ flow }) => flow), sent.map(({ from }) => (from === alice.user ? 'out' : 'in')));
  await quiet(again);
});

test('history and what came while away are one list without gap or double', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.close();
  const texts = numbered(40);
  for (const text of texts) await alice.text(bob, text);
  const again = server.guest(t, bob.user);
  await again.login();
  assert.equal((await again.conversation(alice)).unreadCount, 40);
  assert.deepEqual((await again.history(alice)).map(textOf), texts);
  await quiet(alice, again);
});

test('history of a chat that never was is empty and complete', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const { data } = await alice.call('getMessageList', { conversationID: c2c(bob) });
  assert.deepEqual([data.messageList, data.isCompleted], [[], true]);
});

test('history is found by time, older and newer', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const texts = numbered(50);
  const start = await past(alice, bob, texts, 10);
  const hop = async (index, direction) => {
    const { data } = await alice.call('getMessageListHopping', {
      conversationID: c2c(bob), time: start + index * 10, direction,
    });
    return { texts: data.messageList.map(textOf), isCompleted: data.isCompleted };
  };
  assert.deepEqual(await hop(20, 0), { texts: texts.slice(6, 21), isCompleted: false });
  assert.deepEqual(await hop(20, 1), { texts: texts.slice(20, 35), isCompleted: false });
  assert.deepEqual(await hop(5, 0), { texts: texts.slice(0, 6), isCompleted: true });
  assert.deepEqual(await hop(45, 1), { texts: texts.slice(45), isCompleted: true });
  assert.deepEqual((await hop(60, 1)).texts, []);
  await quiet(alice, bob);
});

test('imported history makes no unread messages and no events', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await past(alice, bob, numbered(6), 1);
  await quiet(alice, bob);
  await bob.close();
  const again = server.guest(t, bob.user);
  await again.login();
  const { unreadCount, lastMessage } = await again.conversation(alice);
  assert.deepEqual([unreadCount, lastMessage.payload.text], [0, 'no. 5']);
  assert.deepEqual((await again.history(alice)).map(textOf), numbered(6));
  await quiet(again);
});

for (const clear of [true, false]) {
  test(`deleting a conversation ${clear ? 'with' : 'without'} its history leaves the other side alone`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');
    for (const text of ['one', 'two']) {
      await bob.text(alice, text);
      await alice.received();
    }
    await alice.call('deleteConversation', { conversationIDList: [c2c(bob)], clearHistoryMessage: clear });
    assert.equal(await alice.conversation(bob), undefined);
    assert.equal(await alice.call('getTotalUnreadMessageCount'), 0);
    await quiet(alice, bob);
    await alice.close();

    const again = server.guest(t, alice.user);
    await again.login();
    assert.equal(await again.conversation(bob), undefined);
    await bob.text(alice, 'three');
    await again.received();
    const { unreadCount, lastMessage } = await again.conversation(bob);
    assert.deepEqual([unreadCount, lastMessage.payload.text], [1, 'three']);
    assert.deepEqual((await again.history(bob)).map(textOf), clear ? ['three'] : ['one', 'two', 'three']);
    assert.deepEqual((await bob.history(alice)).map(textOf), ['one', 'two', 'three']);
    await quiet(again, bob);
  });
}
