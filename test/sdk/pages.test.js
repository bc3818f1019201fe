// The pages of the server in a real browser: how to connect, and the demo chat between two people.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Browser, executable } from './harness/browser.js';
import { apps, Server, userSig } from './harness/server.js';

const skip = executable() ? false : 'SKIPPED: chromium is not installed (Debian: apt-get install chromium)';
const patient = { timeout: 20_000 };

let server;
let browser;

// open gives a page of the server whose mistakes, and requests that go elsewhere, are collected.
async function open(t, path, options = {}) {
  const tab = await browser.chromium.newPage();
  t.after(() => tab.close());
  const wrong = [];
  tab.on('pageerror', (error) => wrong.push(String(error)));
  tab.on('console', (message) => { if (message.type() === 'error') wrong.push(message.text()); });
  tab.on('request', (request) => { if (new URL(request.url()).port !== String(server.port) && !request.url().startsWith('data:')) wrong.push(request.url()); });
  if (options.size) await tab.setViewportSize(options.size);
  if (options.dark) await tab.emulateMedia({ colorScheme: 'dark' });
  await tab.goto(`http://127.0.0.1:${server.port}${path}`);
  return { tab, wrong };
}

// shot keeps a picture of a page in the folder of MAGPIE_SCREENSHOTS, for who wants to look.
async function shot(tab, name) {
  if (process.env.MAGPIE_SCREENSHOTS) await tab.screenshot({ path: `${process.env.MAGPIE_SCREENSHOTS}/${name}.png` });
}

// person is one side of the demo.
function person(tab, name) {
  const root = tab.locator(`.person[data-name=${name}]`);
  return {
    root,
    messages: root.locator('.messages li'),
    online: () => root.locator('.line', { hasText: /^online$/ }).waitFor(patient),
    sees: (text) => root.locator('.messages li', { hasText: text }).waitFor(patient),
    type: (text) => root.locator('input[type=text]').pressSequentially(text),
    say: async (text) => {
      await root.locator('input[type=text]').fill(text);
      await root.locator('input[type=text]').press('Enter');
      await root.locator('.mine', { hasText: text }).last().waitFor(patient);
    },
    choose: (chat) => root.locator(`[data-chat=${chat}]`).click(),
  };
}

async function demo(t, options) {
  const { tab, wrong } = await open(t, '/demo', options);
  const [anna, ben] = [person(tab, 'anna'), person(tab, 'ben')];
  await Promise.all([anna.online(), ben.online()]);
  return { tab, wrong, anna, ben };
}

// readme puts the page of the README into a folder beside the SDK, and opens it for a user as the README says.
async function readme(t, user) {
  const folder = await mkdtemp(join(tmpdir(), 'magpie-readme-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const text = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const page = /```html\n([\s\S]*?)```/.exec(text)[1].replace('ws://127.0.0.1:8080', server.url);
  await writeFile(join(folder, 'index.html'), page);
  await symlink(fileURLToPath(new URL('node_modules', import.meta.url)), join(folder, 'node_modules'));
  const tab = await browser.chromium.newPage();
  t.after(() => tab.close());
  await tab.goto(`file://${folder}/index.html#${apps.one.id}:${user}:${userSig(user)}`);
  return tab;
}

describe('pages', { skip }, () => {
  before(async () => {
    server = await Server.start();
    browser = await Browser.start();
  });
  after(async () => {
    await browser?.stop();
    await server?.stop();
  });

  test('the first page says how to connect', async (t) => {
    const { tab, wrong } = await open(t, '/');
    await tab.getByRole('status').filter({ hasText: 'Ready' }).waitFor(patient);
    const code = await tab.locator('pre code').allTextContents();
    assert.match(code[0], new RegExp(`SDKAppID: 1400000001, proxyServer: 'ws://127.0.0.1:${server.port}'`));
    assert.equal(await tab.locator('pre .copy').count(), code.length);
    await shot(tab, 'home');
    await tab.getByRole('link', { name: 'Open the demo chat' }).click();
    await person(tab, 'anna').online();
    assert.deepEqual(wrong, []);
  });

  test('two people write, type, read and recall', async (t) => {
    const { tab, wrong, anna, ben } = await demo(t);
    await anna.say('Hello Ben');
    await ben.sees('Hello Ben');
    await anna.root.locator('.mine', { hasText: 'Hello Ben' }).getByText('read').waitFor(patient);
    await ben.say('Hello Anna 😀');
    await anna.sees('Hello Anna 😀');
    await ben.type('so');
    await anna.root.getByText('Ben is typing…').waitFor(patient);
    await anna.say('again');
    await anna.say('again');
    await ben.messages.nth(3).waitFor(patient);
    assert.equal(await ben.root.locator('.theirs', { hasText: 'again' }).count(), 2);
    await anna.say('a mistake');
    await ben.sees('a mistake');
    await anna.root.getByRole('button', { name: 'Recall: a mistake' }).click();
    await ben.sees('This message was recalled.');
    await shot(tab, 'demo');
    assert.deepEqual(wrong, []);
  });

  test('a picture is uploaded, shown to both, and gone when it is recalled', async (t) => {
    const { tab, wrong, anna, ben } = await demo(t);
    const picture = await tab.evaluate(() => { // a picture of several colours, made by the browser
      const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 400 });
      const paint = canvas.getContext('2d');
      for (let n = 0; n < 8; n += 1) {
        paint.fillStyle = `hsl(${n * 40} 60% 55%)`;
        paint.fillRect(n * 80, 0, 80, 400);
      }
      return canvas.toDataURL('image/png').split(',')[1];
    });
    const file = { name: 'colours.png', mimeType: 'image/png', buffer: Buffer.from(picture, 'base64') };
    await anna.root.locator('input[type=file]').setInputFiles(file);
    for (const { root } of [anna, ben]) {
      const image = root.locator('.messages img').last();
      await image.waitFor(patient);
      await image.scrollIntoViewIfNeeded();
      await tab.waitForFunction((one) => one.complete && one.naturalHeight === 198, await image.elementHandle(), patient);
    }
    await ben.say('Lovely');
    await shot(tab, 'picture');
    const recalled = await ben.root.locator('.gone').count();
    await anna.root.getByRole('button', { name: 'Recall: [Image]' }).click();
    await ben.root.locator('.gone').nth(recalled).waitFor(patient);
    assert.equal(await ben.root.locator('.messages img').count(), 0, 'the picture is still shown');
    await anna.root.locator('input[type=file]').setInputFiles({ name: 'no.png', mimeType: 'image/png', buffer: Buffer.from('no picture') });
    await anna.root.getByRole('alert').filter({ hasText: 'no picture' }).waitFor(patient);
    assert.deepEqual(wrong, []);
  });

  test('who was away finds what was said, and a page opened anew the history', async (t) => {
    const { wrong, anna, ben } = await demo(t);
    const away = ben.root.getByRole('button', { name: 'Go offline' });
    await away.click();
    await ben.root.locator('.line', { hasText: 'not connected' }).waitFor(patient);
    await anna.say('while you were away');
    await ben.root.getByRole('button', { name: 'Go online' }).click();
    await ben.sees('while you were away');
    for (let n = 0; n < 20; n += 1) await anna.say(`line ${n}`);
    assert.deepEqual(wrong, []);
    const again = await demo(t);
    await again.ben.sees('line 19');
    assert.equal(await again.ben.root.locator('.theirs', { hasText: 'while you were away' }).count(), 0);
    await again.ben.root.getByRole('button', { name: 'Earlier messages' }).click();
    await again.ben.sees('while you were away');
    await anna.root.locator('.line', { hasText: 'opened elsewhere' }).waitFor(patient);
    assert.deepEqual(again.wrong, []);
  });

  test('a group of both, also on a small dark screen', async (t) => {
    const { tab, wrong, anna, ben } = await demo(t, { size: { width: 390, height: 800 }, dark: true });
    await Promise.all([anna.choose('group'), ben.root.locator('[data-chat=group]').waitFor(patient)]);
    await anna.say('to all of us');
    await ben.root.locator('[data-chat=group]', { hasText: '1 new' }).waitFor(patient);
    await ben.choose('group');
    await ben.sees('to all of us');
    await ben.say('seen');
    await anna.sees('seen');
    await ben.root.getByRole('button', { name: 'Recall: seen' }).click();
    await anna.sees('This message was recalled.');
    await shot(tab, 'small');
    const wide = await tab.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    assert.equal(wide, false, 'the page is wider than the screen');
    assert.deepEqual(wrong, []);
  });

  test('what cannot be sent says why, and a restart of the server is survived', async (t) => {
    const { anna, ben } = await demo(t);
    await server.halt('SIGTERM');
    await anna.root.locator('.line', { hasText: 'not connected' }).waitFor(patient);
    await anna.root.locator('input[type=text]').fill('into the void');
    await anna.root.locator('input[type=text]').press('Enter');
    await anna.root.getByRole('alert').filter({ hasText: 'There is no connection.' }).waitFor(patient);
    await server.boot();
    await Promise.all([anna.online(), ben.online()]);
    assert.equal(await anna.root.locator('input[type=text]').inputValue(), 'into the void', 'what was written is kept');
    await anna.say('into the void');
    await ben.sees('into the void');
  });

  test('who asks again and again to come back has one connection', async (t) => {
    const { tab } = await open(t, '/');
    await tab.clock.install();
    await tab.goto(`http://127.0.0.1:${server.port}/demo`);
    const [anna, ben] = [person(tab, 'anna'), person(tab, 'ben')];
    await Promise.all([anna.online(), ben.online()]);
    await server.halt('SIGTERM');
    await ben.root.locator('.line', { hasText: 'not connected' }).waitFor(patient);
    const button = anna.root.getByRole('button', { name: 'Go online' });
    for (let n = 0; n < 3; n += 1) {
      const failed = new Promise((resolve) => { tab.once('websocket', (socket) => socket.once('close', resolve).once('socketerror', resolve)); });
      await button.click(patient);
      await failed;
    }
    await server.boot();
    let sockets = 0;
    tab.on('websocket', () => { sockets += 1; });
    await tab.clock.runFor(6_000);
    await Promise.all([anna.online(), ben.online()]);
    assert.equal(sockets, 2);
  });

  test('who is refused asks for another signature', async (t) => {
    const { tab } = await open(t, '/');
    await tab.route('**/demo/session', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...await answer.json(), userSig: 'over' } });
    }, { times: 1 });
    await tab.goto(`http://127.0.0.1:${server.port}/demo`);
    await Promise.all(['anna', 'ben'].map((name) => person(tab, name).online()));
  });

  test('the page of the README shows what was said, sends the same text twice, and tells what failed', async (t) => {
    await server.post('im_open_login_svc/account_import', { UserID: 'alice', Nick: 'Alice' });
    await server.post('im_open_login_svc/account_import', { UserID: 'bob' });
    await server.post('openim/sendmsg', {
      From_Account: 'administrator', To_Account: 'alice', MsgRandom: 1, MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'Welcome!' } }],
    });
    const alice = await readme(t, 'alice');
    const says = async (tab, words) => tab.waitForFunction((wanted) => document.querySelector('#out').textContent.includes(wanted), words, patient);
    await says(alice, 'administrator → alice: Welcome!');
    const send = async (to, text) => {
      await alice.fill('#to', to);
      await alice.fill('#text', text);
      await alice.press('#text', 'Enter');
      await alice.waitForFunction(() => document.querySelector('#text').value === '' || /[0-9]: /.test(document.querySelector('#out').textContent), null, patient);
    };
    await send('bob', 'hello');
    await send('bob', 'hello');
    const bob = await readme(t, 'bob');
    await says(bob, 'alice → bob: hello\nalice → bob: hello\n');
    await send('nobody', 'hello');
    await says(alice, '20003: ');
  });
});
