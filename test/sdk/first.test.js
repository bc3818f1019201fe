import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { Server } from './harness/server.js';
import { quiet } from './harness/client.js';
let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());
test('hello', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const sent = await alice.text(bob, 'hi');
  const got = await bob.received();
  console.log(sent, got);
  await quiet(alice, bob);
  console.log((await alice.frames()).map(f => [f.connection, f.direction, f.command??f.url, f.seq]));
});
