// Logging in and out, and every way in which a login ends.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment, magpie } from './harness/binary.js';
import { quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { apps, Server, userSig } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

const online = async (...clients) => {
  const { QueryResult } = await server.rest('openim/query_online_status', { To_Account: clients.map(({ user }) => user) });
  return QueryResult.map(({ Status }) => Status);
};

test('the SDK becomes ready and every question that it asks at login is answered', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  assert.equal(await alice.call('isReady'), true);
  assert.equal(await alice.call('getLoginUser'), alice.user);
  const drift = await alice.call('getServerTime') - Date.now();
  assert.ok(Math.abs(drift) < 2000, `the server's clock differs by ${drift} ms`);
  await sleep(2500); // two seconds after login the SDK asks which features it may use
  const frames = await alice.frames();
  const asked = frames.filter(({ direction }) => direction === 'out');
  assert.ok(asked.length >= 13, `only ${asked.length} requests`);
  for (const { command, seq } of asked) {
    const answer = frames.find((f) => f.direction === 'in' && f.command === command && f.seq === seq);
    assert.ok(answer, `${command} was not answered`);
    assert.equal(answer.body.ErrorCode, 0, `${command}: ${answer.body.ErrorInfo}`);
  }
  await quiet(alice);
});

test('logging in again while logged in does no harm', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const { data } = await alice.call('login', { userID: alice.user, userSig: alice.sig });
  assert.equal(data.repeatLogin, true);
  await quiet(alice);
});

test('the SDK logs in with a UserSig that the program printed', async (t) => {
  const [alice] = server.absent(t, 'alice');
  const sig = execFileSync(magpie(), ['usersig', '--app', `${apps.one.id}:${apps.one.key}`, '--user', alice.user], { env: environment() });
  await alice.login({ sig: String(sig).trim() });
  await quiet(alice);
});

describe('a UserSig that is not good is refused with its code', () => {
  const user = 'mallory';
  const cases = [
    ['made for another user', 70013, () => userSig('somebody')],
    ['made for another application', 70014, () => userSig(user, { app: apps.two })],
    ['made with another key', 70009, () => userSig(user, { app: { ...apps.one, key: apps.two.key } })],
    ['not a UserSig', 70003, () => 'not a UserSig at all'],
    ['cut short', 70003, () => userSig(user).slice(0, 40)],
  ];
  for (const [what, code, sig] of cases) {
    test(what, async (t) => {
      const client = server.guest(t, user);
      assert.equal(await refused(client.login({ sig: sig() })), code);
      assert.equal(await client.call('isReady'), false);
      await quiet(client);
    });
  }

  test('expired', async (t) => {
    const sig = userSig(user, { expire: 1 });
    await sleep(2100);
    const client = server.guest(t, user);
    assert.equal(await refused(client.login({ sig })), 70001);
    assert.equal(await client.call('isReady'), false);
    await quiet(client);
  });

  test('and a good one after it is accepted', async (t) => {
    const client = server.guest(t, user);
    assert.equal(await refused(client.login({ sig: userSig('somebody') })), 70013);
    await client.login();
    assert.equal(await client.call('isReady'), true);
    await quiet(client);
  });
});

test('an application that does not exist is refused with its code', async (t) => {
  const app = { id: 1499999999, key: apps.one.key };
  const client = server.guest(t, 'alice', { app });
  assert.equal(await refused(client.login()), 70020);
  await quiet(client);
});

test('when the UserSig expires the client is out, and a new one lets it in', async (t) => {
  const [bob] = await server.cast(t, 'bob');
  const [alice] = server.absent(t, 'alice');
  await alice.login({ sig: userSig(alice.user, { expire: 8 }) });
  await alice.text(bob, 'in time');
  await bob.received();
  const { type } = await alice.next('KICKED_OUT', undefined, 20_000);
  assert.equal(type, 'userSigExpired');
  await alice.next('SDK_NOT_READY');
  await alice.login();
  await alice.text(bob, 'back');
  assert.equal(textOf(await bob.received()), 'back');
  await quiet(alice, bob);
});

test('a second login ends the first, which does not come back', async (t) => {
  const [first, bob] = await server.cast(t, 'alice', 'bob');
  const second = server.guest(t, first.user);
  await second.login();
  assert.equal((await first.next('KICKED_OUT')).type, 'multipleAccount');
  await first.next('SDK_NOT_READY');
  await sleep(4000); // a client that is cut off comes back within this time
  assert.equal(await first.call('isReady'), false);
  assert.equal(await second.call('isReady'), true);
  await bob.text(first, 'to whoever is in');
  assert.equal(textOf(await second.received()), 'to whoever is in');
  await quiet(first, second, bob);
});

test('the one logged out by a second login may log in again, and ends that one', async (t) => {
  const [first] = await server.cast(t, 'alice');
  const second = server.guest(t, first.user);
  await second.login();
  await first.next('KICKED_OUT');
  await first.next('SDK_NOT_READY');
  await first.login();
  assert.equal((await second.next('KICKED_OUT')).type, 'multipleAccount');
  await second.next('SDK_NOT_READY');
  assert.equal(await first.call('isReady'), true);
  await quiet(first, second);
});

test('a logout that meets requests under way is reported once', async (t) => {
  const [first] = await server.cast(t, 'alice');
  const second = server.guest(t, first.user);
  let asked = 0;
  const asking = setInterval(() => {
    first.call('getUserProfile', { userIDList: [`nobody-${++asked}`] }).catch(() => {});
  }, 1);
  await second.login();
  await first.next('KICKED_OUT');
  await first.next('SDK_NOT_READY');
  clearInterval(asking);
  await sleep(500);
  assert.deepEqual([first.left('KICKED_OUT'), first.left('SDK_NOT_READY')], [[], []]);
  await quiet(second);
});

test('a back end logs a user out; the old UserSig is void and a new one good', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await server.rest('im_open_login_svc/kick', { UserID: alice.user });
  assert.equal((await alice.next('KICKED_OUT')).type, 'REST_API_Kick');
  await alice.next('SDK_NOT_READY');
  assert.equal(await refused(alice.login()), 70052);
  await sleep(1000); // a UserSig knows only the second in which it was made
  await alice.login({ sig: userSig(alice.user) });
  await alice.text(bob, 'back');
  assert.equal(textOf(await bob.received()), 'back');
  await quiet(alice, bob);
});

test('a user who was not logged in when the back end logged him out needs a new UserSig too', async (t) => {
  const [alice] = server.absent(t, 'alice');
  await server.rest('im_open_login_svc/account_import', { UserID: alice.user });
  await sleep(1000);
  await server.rest('im_open_login_svc/kick', { UserID: alice.user });
  assert.equal(await refused(alice.login()), 70052);
  await quiet(alice);
});

test('logout and login go over one connection, also as another user', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  assert.deepEqual(await online(alice), ['Online']);
  await alice.call('logout');
  await alice.next('SDK_NOT_READY');
  assert.deepEqual(await online(alice), ['Offline']);
  await bob.text(alice, 'meanwhile');

  await alice.login();
  assert.deepEqual(await online(alice), ['Online']);
  assert.equal((await alice.conversation(bob)).unreadCount, 1);
  await quiet(alice, bob);

  const carol = `carol-of-${alice.user}`;
  await alice.call('logout');
  await alice.next('SDK_NOT_READY');
  await alice.login({ user: carol, sig: userSig(carol) });
  assert.equal(await alice.call('getLoginUser'), carol);
  assert.equal(await alice.conversation(bob), undefined);
  await bob.text(carol, 'hello carol');
  assert.equal((await alice.received()).to, carol);
  await bob.text(alice, 'not for carol');
  assert.equal((await alice.frames({ direction: 'connect' })).length, 1);
  await quiet(alice, bob);
});

test('who is online is known', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const [carol] = server.absent(t, 'carol');
  await server.rest('im_open_login_svc/account_import', { UserID: carol.user });
  await bob.close();
  await sleep(300);
  assert.deepEqual(await online(alice, carol), ['Online', 'Offline']);
  assert.notDeepEqual(await online(bob), ['Online']);
  await quiet(alice);
});
