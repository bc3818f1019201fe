// The newer line of the SDK, lite-chat, on which the newer kits stand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, quiet } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

test('the author\'s kit hears of his own recall', async (t) => {
  const [bob] = await server.cast(t, 'bob');
  const alice = server.guest(t, `alice-of-${bob.user}`, { lite: true });
  await alice.login();
  const mistake = await alice.text(bob, 'mistake');
  await bob.received();
  await alice.call('revokeMessage', mistake);
  assert.equal((await alice.next('MESSAGE_REVOKED')).ID, mistake.ID);
  assert.equal((await bob.next('MESSAGE_REVOKED')).ID, mistake.ID);
  assert.deepEqual(alice.left('MESSAGE_REVOKED'), []);
});

test('an application on the full SDK hears of its own recall by the call alone', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const mistake = await alice.text(bob, 'mistake');
  await bob.received();
  await alice.call('revokeMessage', mistake);
  await bob.next('MESSAGE_REVOKED');
  await quiet(alice, bob);
});

test('the list names who wrote last', async (t) => {
  const [bob] = await server.cast(t, 'bob');
  const [alice] = server.absent(t, 'alice');
  await server.rest('im_open_login_svc/account_import', { UserID: alice.user });
  await bob.text(alice, 'hello');
  const lite = server.guest(t, alice.user, { lite: true });
  await lite.login();
  await eventually(async () => {
    const { lastMessage } = await lite.conversation(bob);
    assert.equal(lastMessage.fromAccount, bob.user);
  });
  assert.deepEqual((await lite.history(bob)).map(textOf), ['hello']);
});
