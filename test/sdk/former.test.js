// A peer whose account was deleted: one's own view of the chat with him needs nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { c2c, eventually, quiet, refused } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

test('the chat with a deleted peer is opened, read, marked and removed', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const bob = `bob-of-${alice.user}`;
  await server.rest('im_open_login_svc/account_import', { UserID: bob });
  await server.tell(bob, alice, 'good bye');
  await alice.received();
  await server.rest('im_open_login_svc/account_delete', { DeleteItem: [{ UserID: bob }] });
  await server.leave(alice);
  const again = server.guest(t, alice.user);
  await again.login();
  await eventually(async () => assert.equal((await again.conversation(bob)).unreadCount, 1));
  const { data } = await again.call('getConversationProfile', c2c(bob));
  assert.equal(data.conversation.userProfile.userID, bob);
  assert.deepEqual((await again.history(bob)).map(textOf), ['good bye']);
  await again.call('setMessageRead', { conversationID: c2c(bob) });
  assert.equal((await again.conversation(bob)).unreadCount, 0);
  assert.equal(await refused(again.text(bob, 'are you there?')), 20003);
  await again.call('deleteConversation', c2c(bob));
  assert.equal(await again.conversation(bob), undefined);
  await quiet(again);
});
