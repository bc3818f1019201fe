// More was missed than one page of a pull holds: the unmodified SDK has to get all of it, live and in its history.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Proxy } from './harness/proxy.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ flags: ['--rest-per-second', '100000'] }); });
after(() => server.stop());

const many = 2300;
const texts = Array.from({ length: many }, (_, n) => `no. ${n}`);

// flood has messages sent by REST, a few dozens at once.
async function flood(from, to) {
  const waiting = [...texts];
  const worker = async () => { for (let text = waiting.shift(); text; text = waiting.shift()) await server.tell(from, to, text); };
  await Promise.all(Array.from({ length: 30 }, worker));
}

for (const known of [true, false]) {
  test(`all that was missed arrives once, from ${known ? 'a known chat' : 'a stranger'}`, async (t) => {
    const proxy = await Proxy.start(t, server);
    const [alice] = await server.cast(t, 'alice');
    const bob = server.guest(t, `bob-of-${alice.user}`, { url: proxy.url });
    await bob.login();
    if (known) {
      await alice.text(bob, 'before');
      await bob.received();
    }
    await sleep(1100);
    proxy.down();
    await flood(alice, bob);
    await sleep(1500);
    proxy.up();
    await bob.next('NET_STATE_CHANGE', ({ state }) => state === 'connected', 30_000);
    await server.tell(alice, bob, 'live');
    const got = [];
    while (got.length < many + 1) got.push(textOf(await bob.received(undefined, 20_000)));
    assert.deepEqual(got.toSorted(), [...texts, 'live'].toSorted());
    assert.deepEqual(bob.left('MESSAGE_RECEIVED'), []);
    const expected = known ? ['before', ...texts, 'live'] : [...texts, 'live'];
    assert.deepEqual((await bob.history(alice)).map(textOf).toSorted(), expected.toSorted());
    await eventually(async () => assert.equal((await bob.conversation(alice)).unreadCount, expected.length));
  });
}

// The SDK asks for read marks and muted conversations of all peers that are new to it at once, and counts none of whom it
// hears nothing.
test('messages of more strangers than a page of the list holds are counted, after a reconnect and after a login', async (t) => {
  const proxy = await Proxy.start(t, server);
  const [alice] = await server.cast(t, 'alice');
  const bob = server.guest(t, `bob-of-${alice.user}`, { url: proxy.url });
  await bob.login();
  const strangers = Array.from({ length: 250 }, (_, n) => `${alice.user}-stranger-${n}`);
  for (let n = 0; n < strangers.length; n += 50) {
    await server.rest('im_open_login_svc/multiaccount_import', { Accounts: strangers.slice(n, n + 50) });
  }
  await sleep(1100);
  proxy.down();
  await Promise.all(strangers.map((one) => server.tell(one, bob, 'hello')));
  await sleep(1500);
  proxy.up();
  for (const _ of strangers) await bob.received(undefined, 30_000);
  await eventually(async () => assert.equal(await bob.call('getTotalUnreadMessageCount'), strangers.length));
  await server.set({ 'conversation.recent': '500' }); // all of whom the list is to show
  const again = server.guest(t, bob.user);
  await again.login();
  await eventually(async () => assert.equal(await again.call('getTotalUnreadMessageCount'), strangers.length));
});
