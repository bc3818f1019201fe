// The SDK in a real browser: headless Chromium and a page that holds nothing but the SDK's own bundle.
import { once } from 'node:events';
import { accessSync, constants, createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Inbox } from './inbox.js';

const require = createRequire(import.meta.url);
const scripts = { '/sdk.js': require.resolve('@tencentcloud/chat'), '/upload.js': require.resolve('tim-upload-plugin') };
const page = '<!doctype html><meta charset="utf-8"><title>SDK</title><script src="/sdk.js"></script><script src="/upload.js"></script>';

// executable gives the path of Chromium, or undefined if there is none.
export function executable() {
  return process.env.PATH.split(':').map((folder) => join(folder, 'chromium')).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

// Browser is a running Chromium with a web server for its page.
export class Browser {
  static async start() {
    const browser = new Browser();
    try {
      await browser.#start();
    } catch (error) {
      await browser.stop();
      throw error;
    }
    return browser;
  }

  async #start() {
    this.profile = await mkdtemp(join(tmpdir(), 'magpie-sdk-chromium-'));
    this.web = createServer((request, reply) => {
      if (scripts[request.url]) {
        reply.setHeader('content-type', 'text/javascript; charset=utf-8');
        createReadStream(scripts[request.url]).pipe(reply);
      } else {
        reply.setHeader('content-type', 'text/html; charset=utf-8');
        reply.end(page);
      }
    });
    this.web.listen(0, '127.0.0.1');
    await once(this.web, 'listening');
    this.chromium = await chromium.launchPersistentContext(this.profile, {
      executablePath: executable(),
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync'],
    });
  }

  // client opens a page with an instance of the SDK, and gives something to drive it with, much like Client.
  async client({ user, sig, sdkAppID, url }) {
    const tab = await this.chromium.newPage();
    const inbox = new Inbox(`${user} (browser)`);
    const workers = [];
    tab.on('worker', (worker) => workers.push(worker.url()));
    tab.on('pageerror', (error) => inbox.put('FAULT', { message: String(error) }));
    await tab.exposeFunction('report', (name, data) => inbox.put(name, data));
    await tab.goto(`http://127.0.0.1:${this.web.address().port}/`);
    await tab.evaluate(([options]) => {
      const { TencentCloudChat } = window;
      window.chat = TencentCloudChat.create(options);
      window.chat.setLogLevel(4);
      window.chat.registerPlugin({ 'tim-upload-plugin': window.TIMUploadPlugin });
      for (const [name, value] of Object.entries(TencentCloudChat.EVENT)) {
        window.chat.on(value, ({ data }) => window.report(name, data === undefined ? null : JSON.parse(JSON.stringify(data))));
      }
    }, [{ SDKAppID: sdkAppID, proxyServer: url }]);
    const call = (method, ...args) => tab.evaluate(
      async ([name, list]) => JSON.parse(JSON.stringify(await window.chat[name](...list) ?? null)), [method, args]);
    return {
      user,
      tab,
      workers,
      call,
      send: (kind, to, payload) => tab.evaluate(async ([name, options]) => {
        const { data } = await window.chat.sendMessage(window.chat[name](options));
        return JSON.parse(JSON.stringify(data.message));
      }, [`create${kind}Message`, { to: to.user, conversationType: 'C2C', payload }]),
      // upload sends a message with a file that the page makes: bytes of a picture of noise, or just bytes.
      upload: (kind, to, name, type, size) => tab.evaluate(async ([make, peer, title, mime, length]) => {
        let bytes = new Uint8Array(length);
        for (let at = 0; at < length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
        if (make === 'Image') {
          const canvas = new OffscreenCanvas(900, 600);
          canvas.getContext('2d').fillRect(100, 100, 300, 300);
          bytes = new Uint8Array(await (await canvas.convertToBlob({ type: mime })).arrayBuffer());
        }
        const message = window.chat[`create${make}Message`]({
          to: peer, conversationType: 'C2C', payload: { file: new File([bytes], title, { type: mime }) },
        });
        await window.chat.sendMessage(message);
        const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
        return { size: bytes.length, digest: [...sum].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
      }, [kind, to.user, name, type, size]),
      revoke: (id) => tab.evaluate((ID) => window.chat.revokeMessage(window.chat.findMessage(ID)).then(() => {}), id),
      login: async () => {
        await call('login', { userID: user, userSig: sig });
        await inbox.take('SDK_READY');
      },
      next: (...how) => inbox.take(...how),
      received: (...how) => inbox.take('MESSAGE_RECEIVED', ...how),
      nothingElse: () => inbox.assertEmpty(),
    };
  }

  async stop() {
    await this.chromium?.close();
    this.web?.closeAllConnections();
    this.web?.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
