// Following: lists, counts, and what both sides hear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, refused } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'follow.enabled': 'on' } }); });
after(() => server.stop());

test('two follow each other, and one stops', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await bob.call('updateMyProfile', { nick: 'Bob' });
  await bob.next('PROFILE_UPDATED');
  const { data } = await alice.call('followUser', [bob.user]);
  assert.deepEqual(data.map(({ userID, resultCode }) => [userID, resultCode]), [[bob.user, 0]]);
  const following = await alice.next('MY_FOLLOWING_LIST_UPDATED');
  assert.deepEqual([following.isAdd, following.userInfoList[0].userID, following.userInfoList[0].nick], [true, bob.user, 'Bob']);
  assert.equal((await bob.next('MY_FOLLOWERS_LIST_UPDATED')).userInfoList[0].userID, alice.user);

  await bob.call('followUser', [alice.user]);
  for (const [client, peer] of [[alice, bob], [bob, alice]]) {
    assert.equal((await client.next('MUTUAL_FOLLOWERS_LIST_UPDATED')).userInfoList[0].userID, peer.user);
  }
  await alice.next('MY_FOLLOWERS_LIST_UPDATED');
  await bob.next('MY_FOLLOWING_LIST_UPDATED');
  for (const list of ['getMyFollowersList', 'getMyFollowingList', 'getMutualFollowersList']) {
    const { data: { resultList: [one], nextCursor } } = await alice.call(list, '');
    assert.deepEqual([one.userID, one.nick, nextCursor], [bob.user, 'Bob', '']);
  }
  assert.deepEqual((await alice.call('getUserFollowInfo', [bob.user])).data,
    [{ followersCount: 1, followingCount: 1, mutualFollowersCount: 1 }]);
  assert.deepEqual((await alice.call('checkFollowType', [bob.user])).data.map(({ userID, followType }) => [userID, followType]), [[bob.user, 3]]);

  await alice.call('unfollowUser', [bob.user]);
  assert.deepEqual((await alice.next('MY_FOLLOWING_LIST_UPDATED')), { isAdd: false, userInfoList: [bob.user] });
  await alice.next('MUTUAL_FOLLOWERS_LIST_UPDATED');
  await bob.next('MY_FOLLOWERS_LIST_UPDATED');
  await bob.next('MUTUAL_FOLLOWERS_LIST_UPDATED');
  assert.deepEqual((await bob.call('getMyFollowersList')).data.resultList, []);
  await quiet(alice, bob);
});

test('where it is switched off, it is refused', async (t) => {
  const off = await Server.start();
  t.after(() => off.stop());
  const [alice, bob] = await off.cast(t, 'alice', 'bob');
  assert.equal(await refused(alice.call('followUser', [bob.user])), 30005);
});
