// One-to-one messages: every kind, both ways, by both doors.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, refused } from './harness/client.js';
import { brief, same, textOf } from './harness/message.js';
import { Server, textElement } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const kinds = [
  ['Text', { text: 'hello' }, textElement('hello')],
  ['Custom', { data: '{"a":1}', description: 'what it is', extension: 'more' },
    { MsgType: 'TIMCustomElem', MsgContent: { Data: '{"a":1}', Desc: 'what it is', Ext: 'more' } }],
  ['Face', { index: 3, data: 'tt03' }, { MsgType: 'TIMFaceElem', MsgContent: { Index: 3, Data: 'tt03' } }],
  ['Location', { description: 'the pier', longitude: 113.941, latitude: 22.5466 },
    { MsgType: 'TIMLocationElem', MsgContent: { Desc: 'the pier', Longitude: 113.941, Latitude: 22.5466 } }],
];

for (const [kind, payload, element] of kinds) {
  test(`${kind.toLowerCase()} goes both ways, by the SDK and by REST`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');

    const there = await alice.send(kind, bob, payload);
    assert.deepEqual(there.payload, payload);
    assert.equal(there.status, 'success');
    same(await bob.received(), there);

    const back = await bob.send(kind, alice, payload);
    same(await alice.received(), back);

    const reply = await server.tell(alice, bob, [element], { SyncOtherMachine: 1 });
    const byREST = await bob.received();
    same(await alice.received(({ flow }) => flow === 'out'), byREST);
    assert.deepEqual(byREST.payload, payload);
    assert.equal(byREST.from, alice.user);
    assert.equal(byREST.time, reply.MsgTime);
    assert.equal(`${byREST.sequence}_${byREST.random}_${byREST.time}`, reply.MsgKey);

    await quiet(alice, bob);
    const expected = [there, back, byREST].map(brief);
    assert.deepEqual((await alice.history(bob)).map(brief), expected);
    assert.deepEqual((await bob.history(alice)).map(brief), expected);
    const { MsgList } = await server.rest('openim/admin_getroammsg', {
      Operator_Account: alice.user, Peer_Account: bob.user, MaxCnt: 10, MinTime: 0, MaxTime: 2 ** 31,
    });
    assert.deepEqual(MsgList.map(({ MsgBody }) => MsgBody), [[element], [element], [element]]);
    assert.deepEqual(MsgList.map(({ MsgSeq, MsgRandom }) => [MsgSeq, MsgRandom]),
      [there, back, byREST].map(({ sequence, random }) => [sequence, random]));
  });
}

test('a REST message of several elements keeps them in order', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await server.tell(alice, bob, kinds.map(([, , element]) => element));
  const { _elements: elements } = await bob.received();
  assert.deepEqual(elements.map(({ type }) => type), ['TIMTextElem', 'TIMCustomElem', 'TIMFaceElem', 'TIMLocationElem']);
  assert.deepEqual(elements.map(({ content }) => content), kinds.map(([, payload]) => payload));
  await quiet(alice, bob);
});

test('a message carries its sender\'s nick and avatar', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.call('updateMyProfile', { nick: 'Alice 爱丽丝', avatar: 'https://example.org/alice.png' });
  await alice.next('PROFILE_UPDATED');
  await alice.text(bob, 'one');
  await server.tell(alice, bob, 'two');
  for (const text of ['one', 'two']) {
    const { payload, nick, avatar } = await bob.received();
    assert.deepEqual({ text: payload.text, nick, avatar },
      { text, nick: 'Alice 爱丽丝', avatar: 'https://example.org/alice.png' });
  }
  await quiet(alice, bob);
  for (const { nick, avatar } of await bob.history(alice)) {
    assert.deepEqual({ nick, avatar }, { nick: 'Alice 爱丽丝', avatar: 'https://example.org/alice.png' });
  }
});

test('cloudCustomData arrives as it was given', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const cloudCustomData = JSON.stringify({ reply: { to: 'x', text: '"quoted" 引用 😀' } });
  const sent = await alice.text(bob, 'with data', { cloudCustomData });
  assert.equal(sent.cloudCustomData, cloudCustomData);
  assert.equal((await bob.received()).cloudCustomData, cloudCustomData);
  await server.tell(bob, alice, 'by REST', { CloudCustomData: cloudCustomData });
  assert.equal((await alice.received()).cloudCustomData, cloudCustomData);
  await quiet(alice, bob);
  assert.deepEqual((await bob.history(alice)).map((m) => m.cloudCustomData), [cloudCustomData, cloudCustomData]);
});

test('a message for those online only is not kept', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const kept = await alice.text(bob, 'kept');
  await alice.text(bob, 'typing', { options: { onlineUserOnly: true } });
  await server.tell(alice, bob, 'typing by REST', { OnlineOnlyFlag: 1 });
  assert.deepEqual([await bob.received(), await bob.received(), await bob.received()].map(textOf),
    ['kept', 'typing', 'typing by REST']);
  await quiet(alice, bob);
  const { unreadCount, lastMessage } = await bob.conversation(alice);
  assert.deepEqual({ unreadCount, text: lastMessage.payload.text }, { unreadCount: 1, text: 'kept' });

  await Promise.all([alice.close(), bob.close()]);
  const [alice2, bob2] = [server.guest(t, alice.user), server.guest(t, bob.user)];
  await Promise.all([alice2.login(), bob2.login()]);
  assert.deepEqual((await alice2.history(bob)).map(brief), [brief(kept)]);
  assert.deepEqual((await bob2.history(alice)).map(brief), [brief(kept)]);
  assert.equal((await bob2.conversation(alice)).unreadCount, 1);
  await quiet(alice2, bob2);
});

test('a message for those online only does not reach one who was away', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [bob] = server.absent(t, 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  await alice.text(bob, 'anybody?', { options: { onlineUserOnly: true } });
  await bob.login();
  assert.equal(await bob.conversation(alice), undefined);
  assert.deepEqual(await bob.history(alice), []);
  await quiet(alice, bob);
});

test('control flags keep a message out of the unread count and from being the last message', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'plain');
  await alice.text(bob, 'uncounted', { options: { messageControlInfo: { excludedFromUnreadCount: true } } });
  await alice.text(bob, 'neither', {
    options: { messageControlInfo: { excludedFromUnreadCount: true, excludedFromLastMessage: true } },
  });
  await server.tell(alice, bob, 'counted, not last', { SendMsgControl: ['NoLastMsg'] });
  for (const text of ['plain', 'uncounted', 'neither', 'counted, not last']) {
    assert.equal(textOf(await bob.received()), text);
  }
  await quiet(alice, bob);
  const check = async (client) => {
    const { unreadCount, lastMessage } = await client.conversation(alice);
    assert.deepEqual({ unreadCount, last: lastMessage.payload.text }, { unreadCount: 2, last: 'uncounted' });
  };
  await check(bob);
  await bob.close();
  const again = server.guest(t, bob.user);
  await again.login();
  await check(again);
  assert.equal((await again.history(alice)).length, 4);
  await quiet(again);
});

for (const [what, text] of [
  ['emoji', 'smile 😀, family 👩‍👩‍👧‍👦, flag 🇫🇷'],
  ['line and paragraph separators', 'a\u2028b\u2029c'],
  ['control characters, quotes and backslashes', 'tab\t line\n return\r "quoted" back\\slash \u0001 \u007f'],
  ['HTML', '<script>alert("&amp;")</script>'],
  ['right to left and combining', 'שלום ‮abc‬ e\u0301'],
]) {
  test(`text with ${what} arrives unchanged`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');
    const sent = await alice.text(bob, text);
    assert.equal(sent.payload.text, text);
    assert.equal(textOf(await bob.received()), text);
    await server.tell(alice, bob, text);
    assert.equal(textOf(await bob.received()), text);
    await quiet(alice, bob);
    assert.deepEqual((await alice.history(bob)).map(textOf), [text, text]);
  });
}

test('half a character becomes the replacement character, and the message arrives', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.text(bob, 'cut \ud83d here');
  assert.equal(textOf(await bob.received()), 'cut \ufffd here');
  await alice.text(bob, 'tail \ude00', { cloudCustomData: '\udc00' });
  const { payload, cloudCustomData } = await bob.received();
  assert.deepEqual([payload.text, cloudCustomData], ['tail \ufffd', '\ufffd']);
  await quiet(alice, bob);
});

test('a long message arrives, compressed; one too long is refused with the code', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const long = '字'.repeat(11 * 1024 / 3);
  const sent = await alice.text(bob, long);
  assert.equal(sent.payload.text, long);
  assert.equal(textOf(await bob.received()), long);
  const [push] = (await bob.frames({ direction: 'in', command: 'im_open_push.msg_push' })).slice(-1);
  assert.ok(push.compressed && push.bytes < 1024, `the push had ${push.bytes} bytes`);

  assert.equal(await refused(alice.text(bob, 'x'.repeat(13 * 1024))), 80002);
  await quiet(alice, bob);
  assert.equal((await alice.history(bob)).filter(({ status }) => status === 'success').length, 1);
});

test('a message to oneself is kept once', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const sent = await alice.text(alice, 'note to self');
  await quiet(alice);
  await alice.close();
  const again = server.guest(t, alice.user);
  await again.login();
  assert.deepEqual((await again.history(alice)).map(brief), [brief(sent)]);
  assert.equal((await again.conversation(alice)).unreadCount, 0);
  await quiet(again);
});

test('a message to nobody is refused with the code', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  assert.equal(await refused(alice.text('nobody-at-all', 'hello?')), 20003);
  await quiet(alice);
});

test('a message that was refused is sent again, and arrives once', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const [late] = server.absent(t, 'late');
  const message = await alice.call('createTextMessage', { to: late.user, conversationType: 'C2C', payload: { text: 'are you there?' } });
  assert.equal(await refused(alice.call('sendMessage', message)), 20003);
  await late.login();
  const { data } = await alice.call('resendMessage', message);
  assert.deepEqual([data.message.ID, data.message.status], [message.ID, 'success']);
  assert.equal(textOf(await late.received()), 'are you there?');
  assert.deepEqual((await late.history(alice)).map(textOf), ['are you there?']);
  await quiet(alice, late);
});

test('many messages at once arrive once each, in the order in which they were sent', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const texts = Array.from({ length: 100 }, (_, i) => `no. ${i}`);
  await Promise.all(texts.map((text) => alice.text(bob, text)));
  for (const text of texts) assert.equal(textOf(await bob.received()), text);
  await quiet(alice, bob);
  assert.deepEqual((await bob.history(alice)).map(textOf), texts);
});
