// The server goes away and comes back. Its sessions' tokens have to survive that, and nothing acknowledged may be lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { quiet } from './harness/client.js';
import { brief, textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// nudge makes clients look for the server again. By itself the SDK tries at once, which is too early, and then only when
// it has something to send.
async function nudge(...clients) {
  for (const client of clients) {
    for (;;) {
      const asked = client.call('getUserProfile', { userIDList: [`nobody-${Math.random()}`] });
      if (await Promise.race([asked.then(() => true, () => false), sleep(1000)])) break;
    }
  }
}

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`after ${signal} and a restart everybody is still logged in`, async (t) => {
    const [alice, bob] = await server.cast(t, 'alice', 'bob');
    const before = await alice.text(bob, 'before');
    await bob.received();
    await sleep(1100);
    await server.halt(signal);
    const pending = alice.text(bob, 'while it is away');
    await sleep(1000);
    await server.boot();
    await nudge(alice, bob);
    const during = await pending;
    assert.equal(textOf(await bob.received()), 'while it is away');
    const afterwards = await bob.text(alice, 'after');
    assert.equal(textOf(await alice.received()), 'after');
    await quiet(alice, bob);
    assert.deepEqual((await bob.history(alice)).map(brief), [before, during, afterwards].map(brief));

    const logins = await alice.frames({ direction: 'out', command: 'im_open_status.wslogin' });
    assert.ok(logins.length > 1);
    for (const { head } of logins.slice(1)) assert.ok(head.a2 && !head.usersig, 'a later login needed the UserSig');
  });
}

test('messages sent while the server is killed arrive once each, all of them, in order', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await sleep(1100);
  const texts = Array.from({ length: 300 }, (_, i) => `no. ${i}`);
  const sending = [];
  let killed;
  for (const [i, text] of texts.entries()) {
    sending.push(alice.text(bob, text));
    if (i === 100) killed = server.halt('SIGKILL');
    await sleep(1);
  }
  await killed;
  await server.boot();
  await nudge(alice, bob);
  await Promise.all(sending);
  const got = [];
  for (const _ of texts) got.push(textOf(await bob.received()));
  await quiet(alice, bob);
  assert.deepEqual(got.toSorted(), texts.toSorted());
  assert.deepEqual((await bob.history(alice)).map(textOf), texts);
  assert.deepEqual((await alice.history(bob)).map(textOf), texts);
  assert.equal((await bob.conversation(alice)).unreadCount, 300);
});
