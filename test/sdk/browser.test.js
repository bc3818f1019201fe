// One whole conversation with a browser on one side: there the SDK keeps its WebSocket and timers in a worker.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Browser, executable } from './harness/browser.js';
import { c2c, eventually, quiet } from './harness/client.js';
import { brief, same, textOf } from './harness/message.js';
import { Proxy } from './harness/proxy.js';
import { apps, Server, userSig } from './harness/server.js';

const skip = executable() ? false : 'SKIPPED: chromium is not installed (Debian: apt-get install chromium)';

let server;
let browser;

describe('headless Chromium', { skip }, () => {
  before(async () => {
    server = await Server.start();
    browser = await Browser.start();
  });
  after(async () => {
    await browser?.stop();
    await server?.stop();
  });

  test('a conversation from login to logout', async (t) => {
    const proxy = await Proxy.start(t, server);
    const [bob] = await server.cast(t, 'bob');
    const user = `alice-of-${bob.user}`;
    const open = () => browser.client({ user, sig: userSig(user), sdkAppID: apps.one.id, url: proxy.url });
    const alice = await open();
    await alice.login();
    assert.ok(alice.workers.some((url) => url.startsWith('blob:')), 'the SDK did not start its worker');

    const there = await alice.send('Text', bob, { text: 'from a browser 😀' });
    same(await bob.received(), there);
    const back = await bob.send('Custom', alice, { data: '{"x":1}', description: 'd', extension: 'e' });
    same(await alice.received(), back);
    const long = await bob.text(alice, '字'.repeat(3000)); // compressed on its way
    same(await alice.received(), long);
    await server.tell(bob, alice, 'by REST');
    const byREST = await alice.received();
    assert.equal(textOf(byREST), 'by REST');

    await bob.call('setMessageRead', { conversationID: c2c(alice) });
    assert.equal((await alice.next('MESSAGE_READ_BY_PEER')).ID, there.ID);
    await alice.call('setMessageRead', { conversationID: c2c(bob) });
    for (let i = 0; i < 2; i++) await bob.next('MESSAGE_READ_BY_PEER');

    proxy.down();
    const missed = await bob.text(alice, 'while you were away');
    await sleep(1500);
    proxy.up();
    same(await alice.received(undefined, 30_000), missed);
    await quiet(alice, bob);

    const mistake = await alice.send('Text', bob, { text: 'mistake' });
    await bob.received();
    await alice.revoke(mistake.ID);
    assert.equal((await bob.next('MESSAGE_REVOKED')).ID, mistake.ID);

    await alice.call('updateMyProfile', { nick: 'Alice' });
    await alice.next('PROFILE_UPDATED');
    await quiet(alice, bob);

    const { data } = await alice.call('getMessageList', { conversationID: c2c(bob) });
    assert.deepEqual(data.messageList.map(brief), [there, back, long, byREST, missed, mistake].map(brief));
    await alice.call('logout');
    await alice.next('SDK_NOT_READY');
    await bob.text(alice, 'until next time');
    await quiet(alice, bob);

    const again = await open();
    await again.login();
    await eventually(async () => {
      const { data: { conversationList: [conversation] } } = await again.call('getConversationList');
      assert.equal(conversation.lastMessage.payload.text, 'until next time');
    });
    assert.equal((await again.call('getMyProfile')).data.nick, 'Alice');
    await quiet(again);
  });

  test('a page of another origin uploads, and shows what it got', async (t) => {
    const [bob] = await server.cast(t, 'bob');
    const user = `alice-of-${bob.user}`;
    const alice = await browser.client({ user, sig: userSig(user), sdkAppID: apps.one.id, url: server.url });
    await alice.login();
    for (const [kind, name, type, size, urlOf] of [
      ['Image', 'a.png', 'image/png', 0, ({ imageInfoArray: [{ url }] }) => url],
      ['File', 'a.bin', 'application/octet-stream', 5 << 20, ({ fileUrl }) => fileUrl],
    ]) {
      const sent = await alice.upload(kind, bob, name, type, size);
      const { payload } = await bob.received();
      const reply = await fetch(urlOf(payload));
      const bytes = Buffer.from(await reply.arrayBuffer());
      assert.deepEqual({ size: bytes.length, digest: createHash('sha256').update(bytes).digest('hex') }, sent);
      if (kind === 'Image') {
        const [, thumb] = payload.imageInfoArray;
        assert.deepEqual([thumb.width, thumb.height], [297, 198]);
        assert.deepEqual(await alice.tab.evaluate(async (url) => {
          const picture = await createImageBitmap(await (await fetch(url)).blob());
          return [picture.width, picture.height];
        }, thumb.url), [297, 198]);
      }
    }
    await quiet(alice, bob);
  });

  test('a page that is closed and opened again finds its messages', async (t) => {
    const [bob] = await server.cast(t, 'bob');
    const user = `alice-of-${bob.user}`;
    const open = () => browser.client({ user, sig: userSig(user), sdkAppID: apps.one.id, url: server.url });
    const alice = await open();
    await alice.login();
    await alice.send('Text', bob, { text: 'one' });
    await bob.received();
    await alice.tab.close();
    await bob.text(alice, 'two');
    const again = await open();
    await again.login();
    const { data } = await again.call('getMessageList', { conversationID: c2c(bob) });
    assert.deepEqual(data.messageList.map(textOf), ['one', 'two']);
    await eventually(async () => {
      const { data: { conversationList: [conversation] } } = await again.call('getConversationList');
      assert.equal(conversation.unreadCount, 1);
    });
    await quiet(again, bob);
  });
});
