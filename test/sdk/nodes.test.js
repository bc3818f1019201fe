// Two nodes that are one service: PostgreSQL keeps, NATS carries.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nats } from './harness/binary.js';
import { c2c, eventually, quiet } from './harness/client.js';
import { brief, same, textOf } from './harness/message.js';
import { installed, postgres } from './harness/postgres.js';
import { start, stop } from './harness/process.js';
import { Proxy } from './harness/proxy.js';
import { Server } from './harness/server.js';

const skip = installed() ? false : 'SKIPPED: PostgreSQL is not installed (Debian: apt-get install postgresql)';

let store;
let bus;
let east;
let west;

describe('two nodes', { skip }, () => {
  before(async () => {
    bus = await start(nats(), [], { ready: /^nats:\/\/\S+$/ });
    store = await postgres();
    const options = { storage: ['--db', store.url], flags: ['--bus', bus.match[0]] };
    east = await Server.start(options);
    west = await Server.start(options);
  });
  after(async () => {
    await east?.stop();
    await west?.stop();
    await store?.stop();
    if (bus) await stop(bus);
  });

  // across logs in one user on each node.
  async function across(t) {
    const [alice] = await east.cast(t, 'alice');
    const bob = west.guest(t, `bob-of-${alice.user}`);
    await bob.login();
    return [alice, bob];
  }

  const online = async (node, ...clients) => {
    const { QueryResult } = await node.rest('openim/query_online_status', { To_Account: clients.map(({ user }) => user) });
    return QueryResult.map(({ Status }) => Status);
  };

  test('users on different nodes chat, read and recall', async (t) => {
    const [alice, bob] = await across(t);
    const there = await alice.text(bob, 'there');
    same(await bob.received(), there);
    const back = await bob.text(alice, 'back');
    same(await alice.received(), back);
    await east.tell(alice, bob, 'by REST at the other node');
    const byREST = await bob.received();
    await quiet(alice, bob);

    await bob.call('setMessageRead', { conversationID: c2c(alice) });
    assert.equal((await alice.next('MESSAGE_READ_BY_PEER')).ID, there.ID);
    await alice.call('revokeMessage', there);
    assert.equal((await bob.next('MESSAGE_REVOKED')).ID, there.ID);
    await quiet(alice, bob);
    assert.deepEqual((await bob.history(alice)).map(brief), [there, back, byREST].map(brief));
  });

  test('many messages both ways arrive once each, in order', async (t) => {
    const [alice, bob] = await across(t);
    const texts = Array.from({ length: 100 }, (_, i) => `no. ${i}`);
    await Promise.all(texts.flatMap((text) => [alice.text(bob, text), bob.text(alice, text)]));
    for (const text of texts) {
      assert.equal(textOf(await bob.received()), text);
      assert.equal(textOf(await alice.received()), text);
    }
    await quiet(alice, bob);
  });

  test('presence is known on every node', async (t) => {
    const [alice, bob] = await across(t);
    for (const node of [east, west]) assert.deepEqual(await online(node, alice, bob), ['Online', 'Online']);
    await bob.call('logout');
    await bob.next('SDK_NOT_READY');
    for (const node of [east, west]) assert.deepEqual(await online(node, alice, bob), ['Online', 'Offline']);
    await quiet(alice, bob);
  });

  test('a second login at one node ends the first at the other', async (t) => {
    const [alice] = await across(t);
    const second = west.guest(t, alice.user);
    await second.login();
    assert.equal((await alice.next('KICKED_OUT')).type, 'multipleAccount');
    await alice.next('SDK_NOT_READY');
    await sleep(1500);
    assert.equal(await second.call('isReady'), true);
    await quiet(alice, second);
  });

  test('a logout by REST at one node reaches the other', async (t) => {
    const [, bob] = await across(t);
    await east.rest('im_open_login_svc/kick', { UserID: bob.user });
    assert.equal((await bob.next('KICKED_OUT')).type, 'REST_API_Kick');
    await bob.next('SDK_NOT_READY');
    await quiet(bob);
  });

  test('a changed profile is seen at the other node', async (t) => {
    const [alice, bob] = await across(t);
    await alice.text(bob, 'before');
    await bob.received();
    await alice.call('updateMyProfile', { nick: 'Alice of the east' });
    await alice.next('PROFILE_UPDATED');
    await sleep(200); // nodes tell each other, but nobody waits for that
    await west.tell(alice, bob, 'after');
    assert.equal((await bob.received()).nick, 'Alice of the east');
    await quiet(alice, bob);
  });

  test('a device moves to another node without missing or doubling a message', async (t) => {
    const proxy = await Proxy.start(t, east);
    const [alice] = await west.cast(t, 'alice');
    const bob = east.guest(t, `bob-of-${alice.user}`, { url: proxy.url });
    await bob.login();
    await sleep(1100);
    const texts = Array.from({ length: 30 }, (_, i) => `no. ${i}`);
    for (const [i, text] of texts.entries()) {
      await alice.text(bob, text);
      if (i === 10) {
        proxy.target = west;
        proxy.abandon(); // the old node believes that he is still there
      }
      await sleep(50);
    }
    const got = [];
    for (const _ of texts) got.push(textOf(await bob.received()));
    assert.deepEqual(got.toSorted(), texts.toSorted());
    await quiet(alice, bob);
    assert.deepEqual((await bob.history(alice)).map(textOf), texts);
    assert.deepEqual(await online(east, bob), ['Online']);
  });

  test('a node that is killed takes only its connections; its clients go on at the other', async (t) => {
    const proxy = await Proxy.start(t, west);
    const [alice] = await east.cast(t, 'alice');
    const bob = west.guest(t, `bob-of-${alice.user}`, { url: proxy.url });
    await bob.login();
    await sleep(1100);
    const texts = Array.from({ length: 40 }, (_, i) => `no. ${i}`);
    const replies = [];
    for (const [i, text] of texts.entries()) {
      if (i === 10) {
        proxy.target = east;
        await west.halt('SIGKILL');
      }
      await alice.text(bob, text);
      if (i % 10 === 0) replies.push(bob.text(alice, `reply ${i}`));
      await sleep(50);
    }
    await Promise.all(replies);
    const got = [];
    for (const _ of texts) got.push(textOf(await bob.received()));
    assert.deepEqual(got.toSorted(), texts.toSorted());
    for (const _ of replies) await alice.received();
    await quiet(alice, bob);
    assert.equal((await alice.frames({ direction: 'open' })).length, 1);
    assert.deepEqual((await bob.history(alice)).filter(({ flow }) => flow === 'in').map(textOf), texts);
    assert.deepEqual(await online(east, bob), ['Online']);

    await west.boot();
    const carol = west.guest(t, `carol-of-${alice.user}`);
    await carol.login();
    await bob.text(carol, 'welcome');
    assert.equal(textOf(await carol.received()), 'welcome');
    await quiet(alice, bob, carol);
  });

  test('settings changed once hold on both nodes', async (t) => {
    await east.set({ 'login.web_instances': 2 });
    t.after(() => east.set({ 'login.web_instances': 1 }));
    const [alice] = await east.cast(t, 'alice');
    const second = west.guest(t, alice.user);
    await second.login();
    const bob = west.guest(t, `bob-of-${alice.user}`);
    await bob.login();
    await bob.text(alice, 'to both');
    assert.equal(textOf(await alice.received()), 'to both');
    assert.equal(textOf(await second.received()), 'to both');
    await quiet(alice, bob);
    await alice.call('setMessageRead', { conversationID: c2c(bob) });
    await eventually(async () => assert.equal((await second.conversation(bob)).unreadCount, 0));
    await bob.next('MESSAGE_READ_BY_PEER');
    await quiet(alice, second, bob);
  });
});
