// Doing nothing for a while.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { quiet } from './harness/client.js';
import { textOf } from './harness/message.js';
import { Server } from './harness/server.js';

let server;
// Short intervals show in 45 seconds what takes minutes with the usual ones.
before(async () => { server = await Server.start({ flags: ['--hello-interval', '10s', '--idle-timeout', '20s'] }); });
after(() => server.stop());

test('clients that do nothing stay ready and connected', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await sleep(45_000);
  for (const client of [alice, bob]) {
    assert.equal(await client.call('isReady'), true);
    const frames = await client.frames();
    assert.deepEqual(frames.filter((f) => f.direction === 'close'), []);
    assert.equal(frames.filter((f) => f.direction === 'open').length, 1);
    const count = (command) => frames.filter((f) => f.direction === 'out' && f.command === command).length;
    assert.ok(count('heartbeat.alive') >= 3, `${count('heartbeat.alive')} heartbeats`);
    assert.ok(count('im_open_status.wshello') >= 3, `${count('im_open_status.wshello')} hellos`);
    for (const { command, body } of frames.filter((f) => f.direction === 'in')) {
      assert.equal(body.ErrorCode, 0, command);
    }
  }
  const { QueryResult } = await server.rest('openim/query_online_status', { To_Account: [alice.user, bob.user] });
  assert.deepEqual(QueryResult.map(({ Status }) => Status), ['Online', 'Online']);
  await alice.text(bob, 'still there?');
  assert.equal(textOf(await bob.received()), 'still there?');
  await quiet(alice, bob);
});
