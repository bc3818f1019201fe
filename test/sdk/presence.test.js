// Who is online, and what he says of himself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, refused } from './harness/client.js';
import { Proxy } from './harness/proxy.js';
import { Server } from './harness/server.js';

const ONLINE = 1;
const LOGGED_OUT = 3;

let server;
before(async () => { server = await Server.start({ settings: { 'login.web_instances': 2 } }); });
after(() => server.stop());

// told waits for the next event about states, and gives those of one user.
async function told(client, of) {
  const list = await client.next('USER_STATUS_UPDATED', (all) => all.some(({ userID }) => userID === of.user));
  const { statusType, customStatus } = list.find(({ userID }) => userID === of.user);
  return [statusType, customStatus];
}

const watch = (client, ...others) => client.call('subscribeUserStatus', { userIDList: others.map(({ user }) => user) });

test('a user who watches another is told what changes', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const { data } = await watch(alice, bob, { user: 'nobody-at-all' });
  assert.deepEqual(data.failureUserList.map(({ userID, code }) => [userID, code]), [['nobody-at-all', 70107]]);
  assert.deepEqual(await told(alice, bob), [ONLINE, '']);
  const own = await bob.call('setSelfStatus', { customStatus: '忙碌 busy' });
  assert.deepEqual([own.data.statusType, own.data.customStatus], [ONLINE, '忙碌 busy']);
  assert.deepEqual(await told(bob, bob), [ONLINE, '忙碌 busy']);
  assert.deepEqual(await told(alice, bob), [ONLINE, '忙碌 busy']);
  const asked = await alice.call('getUserStatus', { userIDList: [bob.user, 'nobody-at-all'] });
  assert.deepEqual(asked.data.successUserList, [{ userID: bob.user, statusType: ONLINE, customStatus: '忙碌 busy' }]);
  assert.deepEqual(asked.data.failureUserList.map(({ userID, code }) => [userID, code]), [['nobody-at-all', 70107]]);
  await bob.call('logout');
  await bob.next('SDK_NOT_READY');
  assert.deepEqual(await told(alice, bob), [LOGGED_OUT, '忙碌 busy']);
  await alice.call('unsubscribeUserStatus', { userIDList: [bob.user] });
  await bob.login();
  await quiet(alice, bob);
});

test('a second device knows what the first one says', async (t) => {
  const [desktop] = await server.cast(t, 'alice');
  await desktop.call('setSelfStatus', { customStatus: 'reading' });
  await told(desktop, desktop);
  const laptop = server.guest(t, desktop.user);
  await laptop.login();
  const { data } = await laptop.call('getUserStatus', { userIDList: [desktop.user] });
  assert.deepEqual(data.successUserList, [{ userID: desktop.user, statusType: ONLINE, customStatus: 'reading' }]);
  await laptop.call('setSelfStatus', { customStatus: '' });
  assert.deepEqual(await told(desktop, desktop), [ONLINE, '']);
  await told(laptop, laptop);
  await quiet(desktop, laptop);
});

test('a user whose network broke is told what changed meanwhile', async (t) => {
  const proxy = await Proxy.start(t, server);
  const [bob] = await server.cast(t, 'bob');
  const alice = server.guest(t, `alice-of-${bob.user}`, { url: proxy.url });
  await alice.login();
  await watch(alice, bob);
  assert.deepEqual(await told(alice, bob), [ONLINE, '']);
  await new Promise((done) => { setTimeout(done, 1100); }); // a socket that closes sooner is not opened again at once
  proxy.down();
  await bob.call('setSelfStatus', { customStatus: 'meanwhile' });
  await told(bob, bob);
  proxy.up();
  assert.deepEqual(await told(alice, bob), [ONLINE, 'meanwhile']);
});

test('an application without presence says so', async (t) => {
  const off = await Server.start({ settings: { 'presence.served': 'off' } });
  t.after(() => off.stop());
  const [alice, bob] = await off.cast(t, 'alice', 'bob');
  assert.equal(await refused(alice.call('getUserStatus', { userIDList: [bob.user] })), 72001);
  assert.equal(await refused(watch(alice, bob)), 72001);
  await alice.call('setSelfStatus', { customStatus: 'still mine' });
  assert.deepEqual(await told(alice, alice), [ONLINE, 'still mine']);
});
