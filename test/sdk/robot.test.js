// Robots that answer: a message that grows while it is read.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { aibot, root } from './harness/binary.js';
import { Client, quiet } from './harness/client.js';
import { freePort, start, stop } from './harness/process.js';
import { apps, Server, textElement, userSig } from './harness/server.js';

const robot = '@RBT#jarvis';

let server;
before(async () => {
  server = await Server.start();
  await server.rest('openim_robot_http_svc/create_robot', { UserID: robot, Nick: 'Jarvis', FaceUrl: 'http://x/jarvis.png' });
});
after(() => server.stop());

// answerOf reads a streamed message as the chatbot plug-ins of client kits do.
function answerOf({ payload }) {
  const data = JSON.parse(payload.data);
  assert.equal(data.chatbotPlugin, 1);
  assert.equal(data.src, 2);
  return { text: data.chunks.join(''), finished: data.isFinished === 1 };
}

const words = 'To be is to do, to do is to be, do be do be do. '.split(/(?<= )/);

test('a streamed answer grows in one message', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  await alice.text(robot, 'sing');
  let MsgKey;
  for (const [n, Chunk] of words.entries()) {
    const Finish = n === words.length - 1 ? 1 : undefined;
    const { MsgKey: key } = await server.rest('openim_robot_http_svc/send_stream_msg', {
      From_Account: robot, To_Account: alice.user, Chunk, MsgKey, Finish,
    });
    MsgKey = key;
    await sleep(40);
  }
  const first = await alice.received();
  assert.deepEqual([first.from, first.nick, first.type, first.isModified], [robot, 'Jarvis', 'TIMCustomElem', false]);
  const states = [answerOf(first)];
  while (!states.at(-1).finished) {
    const message = await alice.next('MESSAGE_MODIFIED');
    assert.equal(message.ID, first.ID);
    states.push(answerOf(message));
  }
  const whole = words.join('');
  assert.equal(states.at(-1).text, whole);
  assert.ok(states.length >= 4 && states.length < words.length, `${states.length} states of ${words.length} words`);
  for (const [n, { text }] of states.entries()) {
    assert.ok(whole.startsWith(text) && text.length >= (states[n - 1]?.text.length ?? 1), `state ${n} is ${text}`);
  }
  const { lastMessage, unreadCount } = await alice.conversation(robot);
  assert.deepEqual([answerOf(lastMessage), unreadCount], [{ text: whole, finished: true }, 1]);
  await quiet(alice);

  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  const history = await again.history(robot);
  assert.deepEqual(history.map(({ from }) => from), [alice.user, robot]);
  assert.deepEqual([history[1].ID, answerOf(history[1])], [first.ID, { text: whole, finished: true }]);
  assert.deepEqual(answerOf((await again.conversation(robot)).lastMessage), { text: whole, finished: true });
  await quiet(again);
});

test('a back end streams by itself with sendmsg and modify_c2c_msg', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const { MsgKey } = await server.tell(robot, alice, 'Hello');
  const first = await alice.received();
  for (const text of ['Hello, ', 'Hello, world']) {
    await server.rest('openim/modify_c2c_msg', {
      From_Account: robot, To_Account: alice.user, MsgKey, MsgBody: [textElement(text)],
    });
    const message = await alice.next('MESSAGE_MODIFIED');
    assert.deepEqual([message.ID, message.payload.text], [first.ID, text]);
  }
  await quiet(alice);
});

test('a robot has a profile like anybody', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const { data } = await alice.call('getUserProfile', { userIDList: [robot] });
  assert.deepEqual([data[0].userID, data[0].nick, data[0].avatar], [robot, 'Jarvis', 'http://x/jarvis.png']);
  await quiet(alice);
});

// The whole chain: the SDK, Magpie, its webhook, examples/aibot, and a model that only pretends.
test('the example bot answers what a user writes', async (t) => {
  const own = { port: await freePort(), bot: await freePort() };
  const bot = await start(aibot(), [
    '--fake', '--magpie', `127.0.0.1:${own.port}`, '--listen', `127.0.0.1:${own.bot}`,
    '--app', `${apps.one.id}:${apps.one.key}`,
  ], { ready: /answers; its callbacks/, stream: 'stderr', within: 120_000, cwd: root });
  t.after(() => stop(bot));
  const user = 'alice-at-the-bot';
  const alice = new Client({ user, sig: userSig(user), sdkAppID: apps.one.id, url: `ws://127.0.0.1:${own.port}` });
  t.after(() => alice.close());
  await alice.login();
  await sleep(2100); // until the setting is in force
  for (const [n, question] of ['Hello', 'Again'].entries()) {
    await alice.text('@RBT#bot', question);
    const first = await alice.received();
    const states = [answerOf(first)];
    while (!states.at(-1).finished) {
      const message = await alice.next('MESSAGE_MODIFIED');
      assert.equal(message.ID, first.ID);
      states.push(answerOf(message));
    }
    assert.ok(states.length >= 4, `${states.length} states`);
    assert.equal(states.at(-1).text,
      `You wrote: ${question}. I remember ${2 * n} messages before that. A real model would know more to say about it.`);
    const history = await alice.history('@RBT#bot');
    assert.deepEqual(answerOf(history.at(-1)), states.at(-1));
  }
  await quiet(alice);
});

test('a robot that is mentioned in a group answers there, and its answer grows', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const { GroupId } = await server.rest('group_open_http_svc/create_group', {
    Type: 'Public', Name: 'team', Owner_Account: alice.user, MemberList: [bob.user, robot].map((one) => ({ Member_Account: one })),
  });
  // The SDK edits no message of a group that it does not know yet.
  await bob.received(({ payload }) => payload.groupProfile?.groupID === GroupId);
  await bob.call('getGroupList');
  await alice.send('TextAt', GroupId, { text: '@jarvis sing', atUserList: [robot] }, { conversationType: 'GROUP' });
  let MsgKey;
  for (const [n, Chunk] of words.entries()) {
    const Finish = n === words.length - 1 ? 1 : undefined;
    ({ MsgKey } = await server.rest('openim_robot_http_svc/send_stream_msg', { From_Account: robot, GroupId, Chunk, MsgKey, Finish }));
    await sleep(20);
  }
  for (const client of [alice, bob]) {
    const first = await client.received(({ from }) => from === robot);
    assert.deepEqual([first.nick, first.type, first.to], ['Jarvis', 'TIMCustomElem', GroupId]);
    let last = answerOf(first);
    while (!last.finished) {
      const message = await client.next('MESSAGE_MODIFIED');
      assert.equal(message.ID, first.ID);
      last = answerOf(message);
    }
    assert.equal(last.text, words.join(''));
  }
});

test('an answer of stream elements grows in one message, which older clients show too', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  let StreamMsgID;
  for (const [n, Markdown] of words.entries()) {
    const Chunks = [{ EventType: 'data', Index: n + 1, Markdown, IsLast: n === words.length - 1 }];
    ({ StreamMsgID } = await server.rest('stream_msg/send_c2c_stream_msg', {
      From_Account: bob.user, To_Account: alice.user, MsgRandom: 1,
      MsgBody: [{ MsgType: 'TIMStreamElem', MsgContent: { Chunks, CompatibleText: 'an answer', StreamMsgID } }],
    }));
    await sleep(20);
  }
  const first = await alice.received();
  assert.deepEqual([first.from, first.type, first.payload.description], [bob.user, 'TIMCustomElem', 'an answer']);
  let last = answerOf(first);
  while (!last.finished) {
    const message = await alice.next('MESSAGE_MODIFIED');
    assert.equal(message.ID, first.ID);
    last = answerOf(message);
  }
  assert.equal(last.text, words.join(''));
  await quiet(alice);
});
