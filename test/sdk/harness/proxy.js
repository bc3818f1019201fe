// A TCP proxy between client and server that a test can disturb as networks do.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #server = createServer((socket) => this.#accept(socket));
  #pairs = new Set();
  #waiting = new Set();
  #down = false;

  // start listens; target has the port to go to, now and whenever it changes.
  static async start(t, target) {
    const proxy = new Proxy();
    proxy.target = target;
    await proxy.#listen(0);
    proxy.port = proxy.#server.address().port;
    t.after(() => proxy.#close());
    return proxy;
  }

  get url() {
    return `ws://127.0.0.1:${this.port}`;
  }

  async #listen(port) {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  #accept(socket) {
    socket.on('error', () => {});
    if (this.#down) {
      this.#waiting.add(socket);
      socket.on('close', () => this.#waiting.delete(socket));
    } else {
      this.#join(socket);
    }
  }

  #join(client) {
    const server = connect(this.target.port, '127.0.0.1');
    client.setNoDelay();
    server.setNoDelay();
    const pair = { client, server, toClient: true, toServer: true };
    this.#pairs.add(pair);
    server.on('error', () => {});
    client.on('data', (bytes) => { if (pair.toServer) server.write(bytes); });
    server.on('data', (bytes) => { if (pair.toClient) client.write(bytes); });
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      if (!pair.left) server.destroy();
    };
    client.on('close', end);
    server.on('close', end);
  }

  // cut ends every connection; new ones are let through at once.
  cut() {
    for (const { client } of this.#pairs) client.destroy();
  }

  // down ends every connection and lets new ones wait, as a network does that swallows packets.
  down() {
    this.#down = true;
    this.cut();
  }

  // up lets those through that wait.
  up() {
    this.#down = false;
    for (const socket of this.#waiting) this.#join(socket);
    this.#waiting.clear();
  }

  // refuse ends every connection and lets no new one in, as a machine does where nobody listens.
  async refuse() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  // admit listens again after refuse.
  admit() {
    return this.#listen(this.port);
  }

  // swallow throws away what comes from now on over the open connections, in one direction. The connections are of no
  // use afterwards: cut them.
  swallow(direction) {
    for (const pair of this.#pairs) pair[direction] = false;
  }

  // abandon ends the client's side of every connection and keeps the server's open, as when a network goes away and
  // nobody tells the server.
  abandon() {
    for (const pair of this.#pairs) {
      pair.left = true;
      pair.client.destroy();
    }
  }

  async #close() {
    this.#down = false;
    for (const socket of this.#waiting) socket.destroy();
    if (this.#server.listening) await this.refuse();
  }
}
