// Several devices of one user, kept in step.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, eventually, quiet } from './harness/client.js';
import { same, textOf } from './harness/message.js';
import { Proxy } from './harness/proxy.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'login.web_instances': 3 } }); });
after(() => server.stop());

// pair logs in a user on two devices, and another user.
async function pair(t) {
  const [desktop, bob] = await server.cast(t, 'alice', 'bob');
  const laptop = server.guest(t, desktop.user);
  await laptop.login();
  return [desktop, laptop, bob];
}

test('what one device sends shows on the other', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  const sent = await desktop.text(bob, 'from the desktop', { cloudCustomData: 'data' });
  const copy = await laptop.received();
  same(copy, sent);
  assert.equal(copy.flow, 'out');
  same(await bob.received(), sent);
  const back = await bob.text(desktop, 'to both');
  same(await desktop.received(), back);
  same(await laptop.received(), back);
  await quiet(desktop, laptop, bob);
  for (const device of [desktop, laptop]) {
    const { unreadCount, lastMessage } = await device.conversation(bob);
    assert.deepEqual([unreadCount, lastMessage.payload.text], [1, 'to both']);
  }
});

test('what one device reads is read on the other', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  for (const text of ['one', 'two']) {
    await bob.text(desktop, text);
    await desktop.received();
    await laptop.received();
  }
  await quiet(desktop, laptop, bob);
  assert.equal((await laptop.conversation(bob)).unreadCount, 2);
  await desktop.call('setMessageRead', { conversationID: c2c(bob) });
  await eventually(async () => assert.equal((await laptop.conversation(bob)).unreadCount, 0));
  await bob.next('MESSAGE_READ_BY_PEER');
  await bob.next('MESSAGE_READ_BY_PEER');
  await quiet(desktop, laptop, bob);
});

test('what one device reads while another is away is read on that one when it is back', async (t) => {
  const proxy = await Proxy.start(t, server);
  const [desktop, bob] = await server.cast(t, 'alice', 'bob');
  const laptop = server.guest(t, desktop.user, { url: proxy.url });
  await laptop.login();
  await bob.text(desktop, 'one');
  await desktop.received();
  await laptop.received();
  await sleep(1100);
  proxy.down();
  await desktop.call('setMessageRead', { conversationID: c2c(bob) });
  await bob.next('MESSAGE_READ_BY_PEER');
  await sleep(500);
  proxy.up();
  await laptop.next('NET_STATE_CHANGE', ({ state }) => state === 'connected');
  await eventually(async () => assert.equal((await laptop.conversation(bob)).unreadCount, 0));
  await quiet(desktop, laptop, bob);
});

test('what one device recalls is recalled on the other', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  const sent = await desktop.text(bob, 'mistake');
  await laptop.received();
  await bob.received();
  await desktop.call('revokeMessage', sent);
  assert.equal((await laptop.next('MESSAGE_REVOKED')).ID, sent.ID);
  assert.equal((await bob.next('MESSAGE_REVOKED')).ID, sent.ID);
  await quiet(desktop, laptop, bob);
});

test('a conversation that one device deletes is gone on the other', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  await bob.text(desktop, 'hello');
  await desktop.received();
  await laptop.received();
  await desktop.call('deleteConversation', c2c(bob));
  await eventually(async () => assert.equal(await laptop.conversation(bob), undefined));
  await quiet(desktop, laptop, bob);
});

test('a back end says whether the sender\'s devices follow', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  await server.tell(desktop, bob, 'followed', { SyncOtherMachine: 1 });
  await server.tell(desktop, bob, 'not followed', { SyncOtherMachine: 2 });
  for (const device of [desktop, laptop]) {
    const { flow, payload } = await device.received();
    assert.deepEqual([flow, payload.text], ['out', 'followed']);
  }
  assert.deepEqual([textOf(await bob.received()), textOf(await bob.received())], ['followed', 'not followed']);
  await quiet(desktop, laptop, bob);
});

test('a device that was away has everything when it comes back', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  await laptop.close();
  await desktop.text(bob, 'from me');
  await bob.received();
  await bob.text(desktop, 'from bob');
  await desktop.received();
  await sleep(100);
  const again = server.guest(t, desktop.user);
  await again.login();
  assert.deepEqual((await again.history(bob)).map(textOf), ['from me', 'from bob']);
  assert.equal((await again.conversation(bob)).unreadCount, 1);
  await quiet(desktop, again, bob);
});

test('one device too many ends the oldest, and only that', async (t) => {
  const [desktop, laptop] = await pair(t);
  await sleep(1000);
  const tablet = server.guest(t, desktop.user);
  await tablet.login();
  await sleep(1000);
  const phone = server.guest(t, desktop.user);
  await phone.login();
  assert.equal((await desktop.next('KICKED_OUT')).type, 'multipleAccount');
  await desktop.next('SDK_NOT_READY');
  for (const device of [laptop, tablet, phone]) assert.equal(await device.call('isReady'), true);
  await quiet(desktop, laptop, tablet, phone);
});

test('a back end logs all devices out', async (t) => {
  const [desktop, laptop, bob] = await pair(t);
  await server.rest('im_open_login_svc/kick', { UserID: desktop.user });
  for (const device of [desktop, laptop]) {
    assert.equal((await device.next('KICKED_OUT')).type, 'REST_API_Kick');
    await device.next('SDK_NOT_READY');
  }
  await quiet(desktop, laptop, bob);
});
