// What a group's members keep of it together: attributes and counters.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { refused } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

// made is a group of the first client's, with the others in it.
async function made(type, owner, ...others) {
  const { GroupId } = await server.rest('group_open_http_svc/create_group', {
    Type: type, Name: 'team', Owner_Account: owner.user, MemberList: others.map(({ user }) => ({ Member_Account: user })),
  });
  return GroupId;
}

// changed waits until a client is told that a group has these attributes; the SDK also tells a client of its own changes.
const changed = (client, groupID, attributes) => client.next('GROUP_ATTRIBUTES_UPDATED',
  (e) => e.groupID === groupID && isDeepStrictEqual(e.groupAttributes, attributes));

test('members keep attributes of a group in step', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  for (const type of ['Private', 'Public', 'ChatRoom', 'Community']) {
    const groupID = await made(type, alice, bob);
    const attributes = async (client) => (await client.call('getGroupAttributes', { groupID, keyList: [] })).data.groupAttributes;
    assert.deepEqual(await attributes(bob), {});
    await alice.call('initGroupAttributes', { groupID, groupAttributes: { mood: 'fine', seats: '4' } });
    const first = await changed(bob, groupID, { mood: 'fine', seats: '4' });
    assert.deepEqual(first.updatedKeyList.sort(), ['mood', 'seats']);
    await bob.call('setGroupAttributes', { groupID, groupAttributes: { seats: '5' } });
    assert.deepEqual((await changed(alice, groupID, { mood: 'fine', seats: '5' })).updatedKeyList, ['seats']);
    await alice.call('deleteGroupAttributes', { groupID, keyList: ['mood'] });
    assert.deepEqual((await changed(bob, groupID, { seats: '5' })).deletedKeyList, ['mood']);
    await server.rest('group_open_http_svc/modify_group_attr', { GroupId: groupID, GroupAttr: [{ key: 'by', value: 'the back end' }] });
    for (const client of [alice, bob]) await changed(client, groupID, { seats: '5', by: 'the back end' });
    await bob.call('deleteGroupAttributes', { groupID, keyList: [] });
    await changed(alice, groupID, {});
    assert.deepEqual([await attributes(alice), await attributes(bob)], [{}, {}]);
  }
});

test('who has not seen the newest attributes overwrites none, and outsiders have no part in them', async (t) => {
  const [alice, bob, dave] = await server.cast(t, 'alice', 'bob', 'dave');
  const groupID = await made('Public', alice);
  await server.rest('group_open_http_svc/set_group_attr', { GroupId: groupID, GroupAttr: [{ key: 'k', value: 'v' }] });
  await server.rest('group_open_http_svc/add_group_member', { GroupId: groupID, MemberList: [{ Member_Account: bob.user }] });
  assert.equal(await refused(bob.call('setGroupAttributes', { groupID, groupAttributes: { k: 'mine' } })), 10056);
  await bob.call('getGroupAttributes', { groupID, keyList: [] });
  await bob.call('setGroupAttributes', { groupID, groupAttributes: { k: 'mine' } });
  assert.equal(await refused(dave.call('getGroupAttributes', { groupID, keyList: [] })), 10007);
});

test('members count together', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const groupID = await made('ChatRoom', alice, bob);
  assert.deepEqual((await alice.call('setGroupCounters', { groupID, counters: { likes: 5 } })).data.counters, { likes: 5 });
  assert.deepEqual((await bob.call('increaseGroupCounter', { groupID, key: 'likes', value: 2 })).data.counters, { likes: 7 });
  assert.deepEqual((await bob.call('decreaseGroupCounter', { groupID, key: 'likes', value: 1 })).data.counters, { likes: 6 });
  for (const client of [alice, bob]) {
    for (const value of [5, 7, 6]) {
      assert.deepEqual(await client.next('GROUP_COUNTER_UPDATED'), { groupID, key: 'likes', value });
    }
    assert.deepEqual((await client.call('getGroupCounters', { groupID })).data.counters, { likes: 6 });
  }
});

test('a banned member is out, and whoever is banned does not come in by himself', async (t) => {
  const [alice, bob, carol] = await server.cast(t, 'alice', 'bob', 'carol');
  const groupID = await made('ChatRoom', alice, bob);
  const Members_Account = [bob.user, carol.user];
  await server.rest('group_open_http_svc/ban_group_member', { GroupId: groupID, Members_Account, Duration: 60, Description: 'noise' });
  await bob.received(({ payload }) => payload.operationType === 4 && payload.groupProfile?.groupID === groupID);
  assert.equal(await refused(carol.call('joinGroup', { groupID })), 10007);
  await server.rest('group_open_http_svc/unban_group_member', { GroupId: groupID, Members_Account });
  assert.equal((await carol.call('joinGroup', { groupID })).data.status, 'JoinedSuccess');
});

test('members see who of them is online', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await server.rest('im_open_login_svc/account_import', { UserID: `${alice.user}-away` });
  const { data: { group: { groupID } } } = await alice.call('createGroup', {
    type: 'Public', name: 'team', memberList: [{ userID: bob.user }, { userID: `${alice.user}-away` }],
  });
  const online = async (method, options, list) => Object.fromEntries((await alice.call(method, { groupID, ...options })).data[list]
    .map(({ userID, isOnline }) => [userID, isOnline]));
  const want = { [alice.user]: true, [bob.user]: true, [`${alice.user}-away`]: false };
  assert.deepEqual(await online('getGroupMemberList', { count: 30, offset: 0 }, 'memberList'), want);
  assert.deepEqual(await online('getGroupMemberProfile', { userIDList: Object.keys(want) }, 'memberList'), want);
  assert.equal((await alice.call('getGroupOnlineMemberCount', groupID)).data.memberCount, 2);
});
