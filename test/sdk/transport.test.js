// The ways in which a client reaches the server, and two applications in it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { apps, Server, userSig } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const long = '字'.repeat(3000);

for (const [what, suffix] of [['plain', ''], ['with a slash at the end', '/'], ['with a prefix', '/im/v1'],
  ['with a prefix and a slash', '/im/']]) {
  test(`proxyServer ${what}`, async (t) => {
    const [bob] = await server.cast(t, 'bob');
    const alice = server.guest(t, `alice-${bob.user}`, { url: server.url + suffix });
    await alice.login();
    await alice.text(bob, 'there');
    await bob.received();
    await bob.text(alice, 'back');
    assert.equal(textOf(await alice.received()), 'back');
    const [{ url }] = await alice.frames({ direction: 'connect' });
    assert.ok(url.startsWith(`${server.url}${suffix}/binfo?`), url);
    await quiet(alice, bob);
  });
}

test('text mode', async (t) => {
  const [bob] = await server.cast(t, 'bob');
  const alice = server.guest(t, `alice-${bob.user}`, { options: { devMode: true } });
  await alice.login();
  await alice.text(bob, long);
  await bob.received();
  await bob.text(alice, long);
  assert.equal(textOf(await alice.received()), long);
  const frames = await alice.frames();
  assert.match(frames[0].url, /\/info\?/);
  for (const { command, binary, compressed } of frames.filter((f) => f.command)) {
    assert.deepEqual({ binary, compressed }, { binary: false, compressed: false }, command);
  }
  await quiet(alice, bob);
});

test('binary mode, with long frames compressed', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.text(alice, long);
  assert.equal(textOf(await alice.received()), long);
  for (const { command, direction, binary, compressed, bytes } of (await alice.frames()).filter((f) => f.command)) {
    assert.equal(binary, true, command);
    if (direction === 'out') assert.equal(compressed, false, command);
    else assert.ok(compressed || bytes <= 1024, `${command} has ${bytes} bytes and is not compressed`);
  }
  await quiet(alice, bob);
});

test('two applications share nothing but the machine', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const other = { app: apps.two };
  const [alice2, bob2] = [server.guest(t, alice.user, other), server.guest(t, bob.user, other)];
  await Promise.all([alice2.login(), bob2.login()]);

  await alice.call('updateMyProfile', { nick: 'Alice of one' });
  await alice.next('PROFILE_UPDATED');
  const sent = await alice.text(bob, 'in one');
  const sent2 = await alice2.text(bob2, 'in two');
  const [got, got2] = [await bob.received(), await bob2.received()];
  assert.deepEqual([textOf(got), got.nick, textOf(got2), got2.nick], ['in one', 'Alice of one', 'in two', '']);
  assert.notEqual(sent.ID.split('-')[0], sent2.ID.split('-')[0], 'the two alices have one TinyId');
  await server.tell(alice, bob, 'by REST in two', { SyncOtherMachine: 2 });
  await bob.received();
  await quiet(alice, bob, alice2, bob2);

  assert.deepEqual((await bob2.history(alice)).map(textOf), ['in two']);
  assert.equal((await bob2.conversation(alice)).unreadCount, 1);
  assert.equal((await bob.conversation(alice)).unreadCount, 2);
  const profile = await bob2.call('getUserProfile', { userIDList: [alice.user] });
  assert.equal(profile.data[0].nick, '');

  // A message of one application cannot be named in the other.
  const how = { From_Account: alice.user, To_Account: bob.user, MsgKey: `${sent.sequence}_${sent.random}_${sent.time}` };
  assert.equal((await server.post('openim/admin_msgwithdraw', how, other)).ErrorCode, 20022);
  // An administrator of one is nobody in the other.
  assert.equal((await server.post('openim/sendmsg', {}, { app: apps.two, sig: userSig('administrator') })).ErrorCode, 70014);
  // A login in one does not end that in the other, nor does a logout by REST.
  await server.rest('im_open_login_svc/kick', { UserID: alice.user }, other);
  await alice2.next('KICKED_OUT');
  await alice2.next('SDK_NOT_READY');
  assert.equal(await alice.call('isReady'), true);
  await server.rest('im_open_login_svc/account_import', { UserID: `only-${bob.user}` }, other);
  assert.equal(await refused(alice.text(`only-${bob.user}`, 'hello?')), 20003);
  await quiet(alice, bob, alice2, bob2);
});
