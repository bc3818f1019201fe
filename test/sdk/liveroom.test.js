// The example of a live room in a real browser: a host and two guests, each with a page of their own.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { liveroom, root } from './harness/binary.js';
import { Browser, executable } from './harness/browser.js';
import { Client, eventually } from './harness/client.js';
import { freePort, start, stop } from './harness/process.js';

const skip = executable() ? false : 'SKIPPED: chromium is not installed (Debian: apt-get install chromium)';
const patient = { timeout: 20_000 };
const small = { width: 390, height: 844 };

let browser;
let media;
let example;
let address;

// Media stands where a media server would: it asks the example's hook, as MediaMTX does, about who wants the picture. Its stream
// comes from another page, which draws it.
class Media {
  asked = [];
  down = false;

  async start() {
    this.server = createServer((request, reply) => this.#answer(request, reply).catch((error) => reply.writeHead(500).end(String(error))));
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.url = `http://127.0.0.1:${this.server.address().port}/liveroom/whep`;
  }

  async #answer(request, reply) {
    reply.setHeader('access-control-allow-origin', '*');
    reply.setHeader('access-control-allow-headers', 'authorization, content-type');
    if (request.method === 'OPTIONS') return reply.end();
    if (this.down) return reply.writeHead(503).end();
    const offer = Buffer.concat(await request.toArray()).toString();
    const hook = await fetch(`${address}/hooks/mediamtx`, { method: 'POST', body: JSON.stringify({
      user: '', password: '', token: (request.headers.authorization ?? '').replace('Bearer ', ''), ip: '127.0.0.1', action: 'read',
      path: 'liveroom', protocol: 'webrtc', id: '0b0e3f0e-5c7c-4d0e-9a52-51c1e36a7d02', query: '',
    }) });
    this.asked.push(hook.status);
    if (hook.status !== 200) return reply.writeHead(hook.status).end();
    this.stage ??= await browser.chromium.newPage();
    return reply.writeHead(201, { 'content-type': 'application/sdp' }).end(await this.stage.evaluate(answerOffer, offer));
  }

  stop() {
    this.server?.closeAllConnections();
    this.server?.close();
  }
}

// answerOffer runs in the page of the stage: a picture whose colour changes is sent to who made the offer.
async function answerOffer(sdp) {
  const canvas = document.createElement('canvas');
  const paint = canvas.getContext('2d');
  let hue = 0;
  setInterval(() => {
    paint.fillStyle = `hsl(${(hue += 5)} 60% 50%)`;
    paint.fillRect(0, 0, canvas.width, canvas.height);
  }, 40);
  const peer = new RTCPeerConnection();
  (window.peers ??= []).push(peer);
  await peer.setRemoteDescription({ type: 'offer', sdp });
  const stream = canvas.captureStream(25);
  peer.addTrack(stream.getVideoTracks()[0], stream);
  await peer.setLocalDescription(await peer.createAnswer());
  await new Promise((resolve) => {
    const look = () => { if (peer.iceGatheringState === 'complete') resolve(); };
    peer.onicegatheringstatechange = look;
    look();
  });
  return peer.localDescription.sdp;
}

// open gives a page of the room whose mistakes are collected.
async function open(t, path, { size, dark } = {}) {
  const tab = await browser.chromium.newPage();
  t.after(() => tab.close());
  const wrong = []; // without the SDK's own lines, which tell of refusals
  tab.on('pageerror', (error) => wrong.push(String(error)));
  tab.on('console', (message) => { if (message.type() === 'error' && !message.text().startsWith('%c Chat')) wrong.push(message.text()); });
  if (size) await tab.setViewportSize(size);
  if (dark) await tab.emulateMedia({ colorScheme: 'dark' });
  await tab.goto(address + path);
  return { tab, wrong };
}

// person is somebody's page.
async function person(t, path, options = {}) {
  const { tab, wrong } = await open(t, path, options);
  const one = {
    tab,
    wrong,
    line: (word) => tab.locator('#line', { hasText: word }).waitFor(patient),
    sees: (text) => tab.locator('#messages li', { hasText: text }).first().waitFor(patient),
    gift: (text) => tab.locator('#gifts li', { hasText: text }).waitFor(patient),
    shows: (id, text) => tab.locator(`#${id}`).filter({ hasText: text }).waitFor(patient),
    press: (name) => tab.getByRole('button', { name, exact: true }).click(patient),
    often: (name, times) => tab.getByRole('button', { name, exact: true }).evaluate((button, n) => { while (n-- > 0) button.click(); }, times),
    say: async (text) => {
      await tab.getByLabel('Say something').fill(text);
      await tab.getByLabel('Say something').press('Enter');
    },
    trouble: (text) => tab.getByRole('alert').filter({ hasText: text }).waitFor(patient),
  };
  if (options.name) {
    await tab.getByLabel('Your name in the room').fill(options.name);
    await tab.keyboard.press('Enter');
  }
  await one.line('connected');
  return one;
}

// shot keeps a picture of a page in the folder of MAGPIE_SCREENSHOTS, for who wants to look.
async function shot({ tab }, name) {
  if (process.env.MAGPIE_SCREENSHOTS) await tab.screenshot({ path: `${process.env.MAGPIE_SCREENSHOTS}/${name}.png`, fullPage: true });
}

// client comes into the room with a program of its own, for what no page would do.
async function client(t, name) {
  const session = await (await fetch(`${address}/session`, { method: 'POST', body: JSON.stringify({ name }) })).json();
  const one = new Client({ user: session.userID, name, sig: session.userSig, sdkAppID: session.sdkAppID, url: session.socket });
  t.after(() => one.close());
  await one.login();
  await one.call('joinGroup', { groupID: session.room, type: 'AVChatRoom' });
  return { ...session, send: (kind, payload) => one.send(kind, session.room, payload, { conversationType: 'GROUP' }), call: (...how) => one.call(...how) };
}

describe('the live room', { skip }, () => {
  before(async () => {
    browser = await Browser.start();
    media = new Media();
    await media.start();
    const listen = `127.0.0.1:${await freePort()}`;
    address = `http://${listen}`;
    example = await start(liveroom(), ['--try', '--magpie', `127.0.0.1:${await freePort()}`, '--listen', listen, '--host-code', 'open', '--video', media.url],
      { ready: /the room is open/, stream: 'stderr', within: 120_000, cwd: root });
  });
  after(async () => {
    if (example) await stop(example);
    media?.stop();
    await browser?.stop();
  });

  test('a show, from coming in to being banned', async (t) => {
    const host = await person(t, '/#host=open');
    const anna = await person(t, '/', { name: 'Anna' });
    const ben = await person(t, '/', { name: 'Ben', size: small, dark: true });

    // Who comes later is seen by the others, and told what was said before.
    await host.sees('Ben came in.');
    await anna.say('Hello 😀 <b>all</b>');
    for (const one of [host, anna, ben]) await one.sees('Hello 😀 <b>all</b>');
    assert.equal(await anna.tab.locator('#messages li', { hasText: 'Hello' }).count(), 1, 'the author sees it once');
    await host.shows('count', '3');

    // Many clicks are one gift, and gifts that follow each other one line.
    await anna.often('flower, 1 coin', 5);
    for (const one of [host, anna, ben]) await one.gift('Anna gives flower ×5');
    await anna.press('flower, 1 coin');
    await ben.gift('Anna gives flower ×6');
    await anna.shows('wallet', '494');
    await ben.press('rocket, 100 coins');
    await anna.gift('Ben gives rocket ×1');
    await ben.often('rocket, 100 coins', 6);
    await ben.trouble('That costs 600 coins, and you have 400.');

    // Likes and coins are in the room's state, which the back end writes by callbacks.
    await ben.often('Like', 3);
    await anna.tab.locator('#hearts span').first().waitFor({ ...patient, state: 'attached' });
    await anna.shows('likes', '3');
    await anna.shows('coins', '106');

    await host.tab.getByText('The host\'s desk').click();
    await host.tab.getByLabel('Notice').fill('We begin at nine.');
    await host.press('Show');
    for (const one of [anna, ben]) await one.shows('notice', 'We begin at nine.');

    await host.tab.getByLabel('Word to say').fill('magpie');
    await host.tab.getByLabel('Prize').fill('a cup');
    await host.press('Open the lottery');
    for (const one of [anna, ben]) await one.shows('lottery-text', 'Say “magpie” to win: a cup');
    await ben.press('Take part');
    await anna.sees('Benmagpie');
    await host.shows('figures', 'In the lottery1');
    await shot(host, 'liveroom-host');
    await shot(anna, 'liveroom-anna');
    await shot(ben, 'liveroom-ben');
    await host.press('Draw');
    for (const one of [host, anna, ben]) await one.sees('Ben wins: a cup');
    await anna.tab.locator('#lottery').waitFor({ ...patient, state: 'hidden' });

    // Muted are all, then one.
    await host.press('Mute everybody');
    await anna.tab.getByPlaceholder('The host has muted everybody').waitFor(patient);
    assert.equal(await anna.tab.getByLabel('Say something').isDisabled(), true);
    await host.say('Silence, please');
    await anna.sees('Silence, please');
    await host.press('Mute everybody');
    await anna.tab.locator('#text:enabled').waitFor(patient);
    await host.tab.getByText('Who is here').click();
    await host.press('Mute Anna');
    await host.sees('You muted Anna for ten minutes.');
    await anna.say('Can you hear me?');
    await anna.trouble('You are muted.');

    await host.press('Ban Ben');
    await ben.line('The host has banned you from the room.');
    assert.equal(await ben.tab.getByRole('alert').textContent(), '');
    assert.equal(await ben.tab.locator('main input:enabled, main button:enabled').count(), 0);
    await host.shows('count', '2');
    const wide = await ben.tab.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false, 'the page is wider than the screen');
    for (const { wrong } of [host, anna]) assert.deepEqual(wrong, []);
    assert.deepEqual(ben.wrong.filter((line) => !line.includes('402')), []); // the gift that he could not pay
  });

  test('the picture plays for who is inside, and newcomers find the room as it is', async (t) => {
    media.down = true;
    const carol = await person(t, '/', { name: 'Carol' });
    await carol.shows('why-dark', 'The media server answers 503.');
    media.down = false;
    await carol.press('Try again');
    await carol.tab.waitForFunction(() => {
      const video = document.querySelector('#video');
      return !video.hidden && video.videoWidth > 0 && video.currentTime > 0;
    }, null, patient);
    assert.equal(media.asked.at(-1), 200);
    await carol.shows('notice', 'We begin at nine.');
    await carol.shows('likes', '3');
    await carol.sees('Hello 😀 <b>all</b>');
    assert.equal(await carol.tab.locator('#gifts li').count(), 0, 'gifts of before are over');
    await shot(carol, 'liveroom-picture');
    assert.deepEqual(carol.wrong.filter((line) => !line.includes('503')), []);
    const without = await fetch(media.url, { method: 'POST', body: 'v=0' });
    assert.equal(without.status, 401);
  });

  test('nobody makes up a gift, a winner or the state of the room', async (t) => {
    const dora = await person(t, '/', { name: 'Dora' });
    const mallory = await client(t, 'Mallory');
    const forge = (data) => mallory.send('Custom', { data, description: '', extension: '' });
    await forge(JSON.stringify({ businessID: 'gift', from: mallory.userID, gift: 'rocket', count: 99 }));
    await forge(JSON.stringify({ businessID: 'winner', winner: mallory.userID, prize: 'the house' }));
    await forge('{not JSON');
    await assert.rejects(mallory.call('setGroupAttributes', { groupID: mallory.room, groupAttributes: { likes: '1000000' } }));
    await mallory.send('Text', { text: 'I tried' });
    await dora.sees('I tried');
    assert.equal(await dora.tab.locator('#gifts li').count(), 0);
    assert.equal(await dora.tab.locator('#messages li', { hasText: 'the house' }).count(), 0);
    await dora.shows('likes', /^3$/);
    assert.deepEqual(dora.wrong, []);
  });

  test('who is banned does not come in again, and a name is asked for', async (t) => {
    const { tab } = await open(t, '/');
    await tab.getByLabel('Your name in the room').fill('Ben');
    await tab.keyboard.press('Enter');
    await eventually(async () => assert.match(await tab.locator('#line').textContent(), /ban/i));
    const { tab: other } = await open(t, '/#host=wrong');
    await other.getByRole('alert').filter({ hasText: 'That is not the host\'s code.' }).waitFor(patient);
    await shot({ tab: other }, 'liveroom-enter');
  });
});
