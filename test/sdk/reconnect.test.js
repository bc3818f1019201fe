// Connections that break: the SDK's own recovery has to find everything.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { c2c, quiet } from './harness/client.js';
import { brief, same, textOf } from './harness/message.js';
import { Proxy } from './harness/proxy.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// behind logs in bob behind a proxy, and others without one. The SDK only comes back by itself from a connection that
// lived for a second.
async function behind(t, ...others) {
  const proxy = await Proxy.start(t, server);
  const clients = await server.cast(t, ...others);
  const bob = server.guest(t, `bob-of-${clients[0].user}`, { url: proxy.url });
  await bob.login();
  await sleep(1100);
  return [proxy, bob, ...clients];
}

// back waits until a client's connection is up again and in step.
async function back(client) {
  await client.next('NET_STATE_CHANGE', ({ state }) => state === 'connected', 30_000);
  await client.next('SYNCED');
}

const outage = 2000;

// secondBegins waits for the clock's next full second.
const secondBegins = () => sleep(1020 - (Date.now() % 1000));

describe('reconnecting', { concurrency: 4 }, () => {
  test('what came during an outage arrives once, in order', async (t) => {
    const [proxy, bob, alice, carol] = await behind(t, 'alice', 'carol');
    const before = await alice.text(bob, 'before');
    same(await bob.received(), before);
    proxy.down();
    const missed = [await alice.text(bob, 'one'), await alice.text(bob, 'two'), await alice.text(bob, 'three')];
    const stranger = await carol.text(bob, 'from a stranger');
    await server.tell(carol, bob, 'by REST');
    await sleep(outage);
    proxy.up();
    await back(bob);
    for (const message of missed) same(await bob.received(({ from }) => from === alice.user), message);
    same(await bob.received(({ from }) => from === carol.user), stranger);
    assert.equal(textOf(await bob.received()), 'by REST');
    await quiet(bob);

    const afterwards = await alice.text(bob, 'after');
    same(await bob.received(), afterwards);
    assert.deepEqual((await bob.history(alice)).map(brief), [before, ...missed, afterwards].map(brief));
    assert.equal((await bob.conversation(alice)).unreadCount, 5);
    assert.equal((await bob.conversation(carol)).unreadCount, 2);
    await quiet(alice, bob, carol);
  });

  test('a long outage\'s many messages all arrive once', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    // The SDK compares whole seconds: some of what is missed is as old as what it has, the rest is newer.
    await secondBegins();
    await alice.text(bob, 'before');
    await bob.received();
    proxy.down();
    const texts = Array.from({ length: 60 }, (_, i) => `no. ${i}`);
    for (const [i, text] of texts.entries()) {
      if (i % 20 === 19) await secondBegins();
      await alice.text(bob, text);
    }
    await sleep(outage);
    proxy.up();
    await back(bob);
    const got = [];
    for (const _ of texts) got.push(textOf(await bob.received()));
    assert.deepEqual(got.toSorted(), texts.toSorted());
    await quiet(alice, bob);
    assert.deepEqual((await bob.history(alice)).map(textOf), ['before', ...texts]);
    assert.equal((await bob.conversation(alice)).unreadCount, 61);
  });

  test('what was recalled during an outage is recalled', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    const mistake = await alice.text(bob, 'mistake');
    await alice.text(bob, 'stays');
    await bob.received();
    await bob.received();
    proxy.down();
    await alice.call('revokeMessage', mistake);
    await sleep(outage);
    proxy.up();
    await back(bob);
    assert.equal((await bob.next('MESSAGE_REVOKED')).ID, mistake.ID);
    assert.deepEqual((await bob.history(alice)).map((m) => [textOf(m), m.isRevoked]), [['mistake', true], ['stays', false]]);
    assert.equal((await bob.conversation(alice)).unreadCount, 1);
    await quiet(alice, bob);
  });

  test('what the peer read during an outage is known afterwards', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    await bob.text(alice, 'read this');
    await alice.received();
    await quiet(alice, bob);
    proxy.down();
    await alice.call('setMessageRead', { conversationID: c2c(bob) });
    await sleep(outage);
    proxy.up();
    await back(bob);
    assert.deepEqual((await bob.history(alice)).map((m) => m.isPeerRead), [true]);
    await bob.next('MESSAGE_READ_BY_PEER');
    await quiet(alice, bob);
  });

  test('a message whose answer was lost is sent again and stays one', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    proxy.swallow('toClient');
    const sending = bob.text(alice, 'once');
    const got = await alice.received();
    proxy.cut();
    same(await sending, got);
    await back(bob);
    await quiet(alice, bob);
    assert.deepEqual((await alice.history(bob)).map(brief), [brief(got)]);
    assert.deepEqual((await bob.history(alice)).map(brief), [brief(got)]);
    assert.equal((await alice.conversation(bob)).unreadCount, 1);
    const frames = await bob.frames({ direction: 'out', command: 'openim.sendmsg' });
    assert.deepEqual(frames.map(({ connection, seq }) => [connection, seq]), [[1, frames[0].seq], [2, frames[0].seq]]);
  });

  test('a message that was lost on its way is sent again', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    proxy.swallow('toServer');
    const sending = bob.text(alice, 'once');
    await sleep(300);
    proxy.cut();
    same(await alice.received(), await sending);
    await back(bob);
    await quiet(alice, bob);
  });

  test('what is sent during an outage is delivered after it', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    proxy.down();
    await sleep(500);
    const sending = ['one', 'two'].map((text) => bob.text(alice, text));
    await sleep(outage);
    proxy.up();
    for (const one of sending) same(await alice.received(), await one);
    await back(bob);
    await quiet(alice, bob);
  });

  test('a server that could not be reached is found again by the next call', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    await proxy.refuse();
    await alice.text(bob, 'meanwhile');
    await sleep(outage);
    await proxy.admit();
    await bob.call('getUserProfile', { userIDList: [alice.user] });
    assert.equal(textOf(await bob.received()), 'meanwhile');
    await back(bob);
    await quiet(alice, bob);
  });

  test('messages flow through one cut after the other', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    const texts = Array.from({ length: 60 }, (_, i) => `no. ${i}`);
    for (const [i, text] of texts.entries()) {
      await alice.text(bob, text);
      if (i % 15 === 7) proxy.cut();
      await sleep(100);
    }
    const got = [];
    for (const _ of texts) got.push(textOf(await bob.received()));
    assert.deepEqual(got.toSorted(), texts.toSorted());
    await quiet(alice, bob);
    assert.deepEqual((await bob.history(alice)).map(textOf), texts);
    assert.equal((await bob.conversation(alice)).unreadCount, 60);
    assert.ok((await bob.frames({ direction: 'open' })).length >= 5);
  });

  test('a connection that the server still holds does not stand in the way', async (t) => {
    const [proxy, bob, alice] = await behind(t, 'alice');
    proxy.abandon();
    await back(bob);
    await alice.text(bob, 'one');
    assert.equal(textOf(await bob.received()), 'one');
    const { QueryResult: [{ Status }] } = await server.rest('openim/query_online_status', { To_Account: [bob.user] });
    assert.equal(Status, 'Online');
    await quiet(alice, bob);
    await server.rest('im_open_login_svc/kick', { UserID: bob.user });
    assert.equal((await bob.next('KICKED_OUT')).type, 'REST_API_Kick');
    await bob.next('SDK_NOT_READY');
    await quiet(bob);
  });

  test('one who was logged out by the back end during an outage is out when he comes back', async (t) => {
    const [proxy, bob] = await behind(t, 'alice');
    proxy.down();
    await server.rest('im_open_login_svc/kick', { UserID: bob.user });
    await sleep(outage);
    proxy.up();
    assert.equal((await bob.next('KICKED_OUT')).type, 'REST_API_Kick');
    await bob.next('SDK_NOT_READY');
    await bob.next('FAULT', ({ code }) => code === 1002); // the SDK does not catch the refusal of its own login
    await sleep(500);
    assert.equal(await bob.call('isReady'), false);
    await quiet(bob);
  });

  test('one who was replaced during an outage does not take the place back', async (t) => {
    const [proxy, bob] = await behind(t, 'alice');
    proxy.down();
    const second = server.guest(t, bob.user);
    await second.login();
    await sleep(outage);
    proxy.up();
    assert.equal((await bob.next('KICKED_OUT')).type, 'multipleAccount');
    await bob.next('SDK_NOT_READY');
    await bob.next('FAULT', ({ code }) => code === 1002); // the SDK does not catch the refusal of its own login
    await sleep(2000);
    assert.equal(await second.call('isReady'), true);
    await quiet(bob, second);
  });
});
