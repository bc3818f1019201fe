// Friends: requests, lists, remarks, and what other devices hear.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refused } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => {
  server = await Server.start({ settings: { 'login.web_instances': 3, 'friend.custom_fields': 'Tea', 'friend.allow_type': 'AllowType_Type_NeedConfirm' } });
});
after(() => server.stop());

const names = (list) => list.map(({ userID }) => userID).sort();
const add = (to, more) => ({ to: to.user, source: 'AddSource_Type_Web', wording: 'hi', type: 'Add_Type_Both', ...more });

// settled takes the events of lists until the last of them is as wanted: the SDK tells of a list more than once.
async function settled(client, event, as) {
  for (;;) {
    const data = await client.next(event);
    if (as(data)) return data;
  }
}

const friendsOf = async (client) => names((await client.call('getFriendList')).data);

// known waits until a client's list of friends has these.
async function known(client, ...users) {
  while ((await friendsOf(client)).join() !== users.sort().join()) await client.next('FRIEND_LIST_UPDATED');
}

test('a request is made, seen, read and accepted', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const laptop = server.guest(t, bob.user);
  await laptop.login();
  const { data } = await alice.call('addFriend', add(bob, { remark: 'Bobby', groupName: 'Pals' }));
  assert.equal(data.code, 30539);
  for (const device of [bob, laptop]) {
    const { friendApplicationList: [one], unreadCount } = await settled(device, 'FRIEND_APPLICATION_LIST_UPDATED',
      ({ friendApplicationList: list }) => list.length === 1);
    assert.deepEqual([one.userID, one.wording, one.type, one.source, unreadCount],
      [alice.user, 'hi', 'Pendency_Type_ComeIn', 'AddSource_Type_Web', 1]);
  }
  await settled(alice, 'FRIEND_APPLICATION_LIST_UPDATED', ({ friendApplicationList: [one] }) => one?.type === 'Pendency_Type_SendOut');
  const { data: applications } = await bob.call('getFriendApplicationList');
  assert.deepEqual([names(applications.friendApplicationList), applications.unreadCount], [[alice.user], 1]);
  await bob.call('setFriendApplicationRead');
  await settled(laptop, 'FRIEND_APPLICATION_LIST_UPDATED', ({ unreadCount }) => unreadCount === 0);

  await bob.call('acceptFriendApplication', { userID: alice.user, remark: 'Al', tag: 'Work', type: 'Response_Action_AgreeAndAdd' });
  await known(alice, bob.user);
  await known(bob, alice.user);
  await known(laptop, alice.user);
  await settled(alice, 'FRIEND_APPLICATION_LIST_UPDATED', ({ friendApplicationList: list }) => list.length === 0);
  const { data: { friendList: [friend] } } = await alice.call('getFriendProfile', { userIDList: [bob.user] });
  assert.deepEqual([friend.remark, friend.groupList, friend.source], ['Bobby', ['Pals'], 'AddSource_Type_Web']);
  const { data: { successUserIDList: [check] } } = await alice.call('checkFriend', { userIDList: [bob.user], type: 'CheckResult_Type_Both' });
  assert.equal(check.relation, 'CheckResult_Type_BothWay');

  // A new login finds all of it.
  const again = server.guest(t, alice.user);
  await again.login();
  await known(again, bob.user);
  const { data: [listed] } = await again.call('getFriendList');
  assert.deepEqual([listed.remark, listed.groupList], ['Bobby', ['Pals']]);
});

test('a request is refused, deleted, or made to who takes nobody', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const asked = async () => {
    assert.equal((await alice.call('addFriend', add(bob))).data.code, 30539);
    await settled(bob, 'FRIEND_APPLICATION_LIST_UPDATED', ({ friendApplicationList: list }) => list.length === 1);
  };
  const nothing = ({ friendApplicationList: list }) => list.length === 0;
  await asked();
  await bob.call('refuseFriendApplication', { userID: alice.user });
  await settled(bob, 'FRIEND_APPLICATION_LIST_UPDATED', nothing);
  await asked();
  await bob.call('deleteFriendApplication', { userID: alice.user, type: 'Pendency_Type_ComeIn' });
  await settled(bob, 'FRIEND_APPLICATION_LIST_UPDATED', nothing);
  await bob.call('updateMyProfile', { allowType: 'AllowType_Type_DenyAny' });
  assert.equal(await refused(alice.call('addFriend', add(bob))), 30516);
  assert.equal(await refused(alice.call('addFriend', add({ user: 'nobody-at-all' }))), 30003);
});

test('remarks and own fields are changed on one device and seen on the other', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const phone = server.guest(t, alice.user);
  await phone.login();
  await bob.call('updateMyProfile', { allowType: 'AllowType_Type_AllowAny', nick: 'Bob' });
  assert.equal((await alice.call('addFriend', add(bob))).data.code, 0);
  await known(alice, bob.user);
  await known(phone, bob.user);
  await alice.call('updateFriend', { userID: bob.user, remark: 'Bobby', friendCustomField: [{ key: 'Tag_SNS_Custom_Tea', value: 'green' }] });
  for (const device of [alice, phone]) {
    for (;;) {
      const { data: [friend] } = await device.call('getFriendList');
      if (friend.remark === 'Bobby') {
        assert.deepEqual(friend.friendCustomField, [{ key: 'Tag_SNS_Custom_Tea', value: 'green' }]);
        break;
      }
      await device.next('FRIEND_LIST_UPDATED');
    }
  }
  const { data } = await alice.call('deleteFriend', { userIDList: [bob.user], type: 'Delete_Type_Both' });
  assert.deepEqual(names(data.successUserIDList), [bob.user]);
  await known(alice);
  await known(phone);
  await known(bob);
  assert.equal(await refused(alice.call('updateFriend', { userID: bob.user, remark: 'x' })), 2700);
});

test('a back end adds friends, and clients see them', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const item = { To_Account: bob.user, AddSource: 'AddSource_Type_Web', Remark: 'By REST' };
  await server.rest('sns/friend_add', { From_Account: alice.user, AddFriendItem: [item], AddType: 'Add_Type_Both', ForceAddFlags: 1 });
  await known(alice, bob.user);
  await known(bob, alice.user);
  await server.rest('sns/friend_delete', { From_Account: alice.user, To_Account: [bob.user], DeleteType: 'Delete_Type_Both' });
  await known(alice);
  await known(bob);
});

test('a blocklist is the same on all devices', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const phone = server.guest(t, alice.user);
  await phone.login();
  const { data } = await alice.call('addToBlacklist', { userIDList: [bob.user] });
  assert.deepEqual(data, [bob.user]);
  for (const device of [alice, phone]) await settled(device, 'BLACKLIST_UPDATED', (list) => list.includes(bob.user));
  assert.equal(await refused(bob.call('addFriend', add(alice))), 30525);
  const again = server.guest(t, alice.user);
  await again.login();
  await settled(again, 'BLACKLIST_UPDATED', (list) => list.includes(bob.user));
  assert.deepEqual((await phone.call('removeFromBlacklist', { userIDList: [bob.user] })).data, []);
  for (const device of [alice, phone, again]) await settled(device, 'BLACKLIST_UPDATED', (list) => list.length === 0);
});

test('friends are put into groups', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await server.rest('sns/friend_add', {
    From_Account: alice.user, AddFriendItem: [{ To_Account: bob.user, AddSource: 'AddSource_Type_Web' }], ForceAddFlags: 1,
  });
  await known(alice, bob.user);
  const { data } = await alice.call('createFriendGroup', { name: 'Pals', userIDList: [bob.user] });
  assert.deepEqual([data.friendGroup.name, data.friendGroup.userIDList, data.failureUserIDList], ['Pals', [bob.user], []]);
  const grouped = (...wanted) => settled(alice, 'FRIEND_GROUP_LIST_UPDATED',
    (list) => list.map(({ name, count }) => `${name} ${count}`).join() === wanted.join());
  await grouped('Pals 1');
  await alice.call('renameFriendGroup', { oldName: 'Pals', newName: 'Friends' });
  await grouped('Friends 1');
  await alice.call('removeFromFriendGroup', { name: 'Friends', userIDList: [bob.user] });
  await grouped('Friends 0');
  await alice.call('addToFriendGroup', { name: 'Friends', userIDList: [bob.user] });
  const again = server.guest(t, alice.user);
  await again.login();
  await known(again, bob.user);
  const { data: groups } = await again.call('getFriendGroupList');
  assert.deepEqual(groups.map(({ name, userIDList, count }) => [name, userIDList, count]), [['Friends', [bob.user], 1]]);
  assert.deepEqual((await again.call('getFriendList')).data[0].groupList, ['Friends']);
  await again.call('deleteFriendGroup', { name: 'Friends' });
  assert.deepEqual((await again.call('getFriendGroupList')).data, []);
});

test('whoever is blocked sees that he sends, and is not heard', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await alice.call('addToBlacklist', { userIDList: [bob.user] });
  await settled(alice, 'BLACKLIST_UPDATED', (list) => list.includes(bob.user));
  await bob.text(alice, 'unheard');
  await alice.call('removeFromBlacklist', { userIDList: [bob.user] });
  await bob.text(alice, 'heard');
  assert.equal((await alice.received()).payload.text, 'heard');
  const texts = async (client, peer) => (await client.call('getMessageList', { conversationID: `C2C${peer.user}` }))
    .data.messageList.map(({ payload }) => payload.text);
  assert.deepEqual(await texts(alice, bob), ['heard']);
  assert.deepEqual(await texts(bob, alice), ['unheard', 'heard']);
});

test('friends hear of a changed profile, and see their remarks in the list of conversations', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await server.rest('sns/friend_add', {
    From_Account: alice.user, AddFriendItem: [{ To_Account: bob.user, AddSource: 'AddSource_Type_Web', Remark: 'Bobby' }], ForceAddFlags: 1,
  });
  await known(alice, bob.user);
  await bob.call('updateMyProfile', { nick: 'Robert' });
  assert.deepEqual((({ userID, nick }) => [userID, nick])(await alice.next('PROFILE_UPDATED', ({ userID }) => userID === bob.user)), [bob.user, 'Robert']);
  await bob.text(alice, 'hi');
  await alice.received();
  const again = server.guest(t, alice.user);
  await again.login();
  for (;;) {
    const { data: { conversationList: [one] } } = await again.call('getConversationList');
    if (one?.remark === 'Bobby') break;
    await again.next('CONVERSATION_LIST_UPDATED');
  }
});
