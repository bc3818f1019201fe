// What the SDK and its upload plugin look for in a page when they send files: a window, XMLHttpRequest and Image. Node has the
// rest. Requests go by Node's own client, which reads a file from the disk as it is sent.
import { openAsBlob } from 'node:fs';

// makePage puts them where the SDK looks. It is called before the SDK is loaded.
export function makePage() {
  globalThis.navigator ??= { userAgent: '', onLine: true, language: 'en' };
  globalThis.window = globalThis;
  globalThis.location = { href: 'http://page.example/' };
  globalThis.document = { addEventListener() {}, removeEventListener() {}, visibilityState: 'visible', hidden: false, charset: 'UTF-8' };
  globalThis.addEventListener ??= () => {};
  globalThis.removeEventListener ??= () => {};
  globalThis.HTMLInputElement = class {};
  globalThis.XMLHttpRequest = Request;
  globalThis.Image = Picture;
}

// file is what a page's user has chosen: SDK methods take it as it comes from an input, audio as a recorder has it.
export async function file(kind, path, name, type) {
  const chosen = new File([await openAsBlob(path)], name, { type });
  if (kind !== 'Audio') return chosen;
  return Object.assign(chosen, { duration: 2000 });
}

class Request {
  upload = {};
  #headers = {};

  open(method, url) {
    Object.assign(this, { method, url });
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  async send(body) {
    try {
      const reply = await fetch(this.url, { method: this.method, body, headers: this.#headers });
      Object.assign(this, { status: reply.status, statusText: reply.statusText, responseText: await reply.text() });
      this.getAllResponseHeaders = () => [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\r\n');
    } catch (error) {
      Object.assign(this, { status: 0, statusText: String(error), responseText: '' });
      this.getAllResponseHeaders = () => '';
      this.onerror(error);
      return;
    }
    this.onload();
  }
}

class Picture {
  set src(url) {
    measure(url).then((size) => {
      Object.assign(this, size);
      this.onload();
    }, () => this.onerror());
  }
}

async function measure(url) {
  const reply = await fetch(url);
  const bytes = Buffer.from(await reply.arrayBuffer());
  if (!reply.ok) throw new Error(`${url}: ${reply.status}`);
  return sizeOf(bytes);
}

// sizeOf reads width and height of a picture in PNG or JPEG.
export function sizeOf(bytes) {
  if (bytes.readUInt32BE(0) === 0x89504e47) return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (bytes.readUInt16BE(0) !== 0xffd8) throw new Error('neither PNG nor JPEG');
  for (let at = 2; ; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    }
  }
}
