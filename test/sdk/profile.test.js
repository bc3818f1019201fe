// Profiles: one's own, others', and news of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet, refused } from './harness/client.js';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start({ settings: { 'login.web_instances': 3 } }); });
after(() => server.stop());

const changes = {
  nick: 'Alice 爱丽丝 😀', avatar: 'https://example.org/alice.png', gender: 'Gender_Type_Female', birthday: 20000101,
  location: 'Shenzhen', selfSignature: 'Be kind.', allowType: 'AllowType_Type_NeedConfirm', language: 2,
  messageSettings: 1, level: 7, role: 3,
};

const part = (profile, like) => Object.fromEntries(Object.keys(like).map((key) => [key, profile[key]]));

test('a profile is changed on one device and seen by all', async (t) => {
  const [desktop, bob] = await server.cast(t, 'alice', 'bob');
  const laptop = server.guest(t, desktop.user);
  await laptop.login();

  const { data } = await desktop.call('updateMyProfile', changes);
  assert.deepEqual(part(data, changes), changes);
  for (const device of [desktop, laptop]) {
    const news = await device.next('PROFILE_UPDATED');
    assert.equal(news.userID, desktop.user);
    assert.deepEqual(part(news, changes), changes);
    assert.deepEqual(part((await device.call('getMyProfile')).data, changes), changes);
  }
  const { data: [seen] } = await bob.call('getUserProfile', { userIDList: [desktop.user] });
  assert.deepEqual(part(seen, changes), changes);
  await quiet(desktop, laptop, bob);

  const { UserProfileItem: [item] } = await server.rest('profile/portrait_get', {
    To_Account: [desktop.user], TagList: ['Tag_Profile_IM_Nick', 'Tag_Profile_IM_Level'],
  });
  assert.deepEqual(Object.fromEntries(item.ProfileItem.map(({ Tag, Value }) => [Tag, Value])),
    { Tag_Profile_IM_Nick: changes.nick, Tag_Profile_IM_Level: 7 });

  const again = server.guest(t, desktop.user);
  await again.login();
  assert.deepEqual(part((await again.call('getMyProfile')).data, changes), changes);
  await quiet(again);
});

test('a back end changes a profile, and its owner sees it at once', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  await server.rest('profile/portrait_set', {
    From_Account: alice.user,
    ProfileItem: [{ Tag: 'Tag_Profile_IM_Nick', Value: 'By REST' }, { Tag: 'Tag_Profile_IM_Level', Value: 9 }],
  });
  const news = await alice.next('PROFILE_UPDATED');
  assert.deepEqual([news.nick, news.level], ['By REST', 9]);
  await quiet(alice);
});

test('an application\'s own fields are kept', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  const fields = [{ key: 'Tag_Profile_Custom_Team', value: 'red' }];
  await alice.call('updateMyProfile', { profileCustomField: fields });
  await alice.next('PROFILE_UPDATED');
  const { data: [seen] } = await bob.call('getUserProfile', { userIDList: [alice.user] });
  assert.deepEqual(seen.profileCustomField, fields);
  await quiet(alice, bob);
});

test('bad values are refused with their codes and change nothing', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  assert.equal(await refused(alice.call('updateMyProfile', { level: -1 })), 40610);
  assert.equal(await refused(alice.call('updateMyProfile', { location: 'farther than sixteen bytes' })), 40601);
  const { data } = await alice.call('getMyProfile');
  assert.deepEqual([data.level, data.location], [0, '']);
  await quiet(alice);
});

test('somebody who does not exist has no profile', async (t) => {
  const [alice] = await server.cast(t, 'alice');
  const { data } = await alice.call('getUserProfile', { userIDList: ['nobody-at-all', alice.user] });
  assert.deepEqual(data.map(({ userID }) => userID), [alice.user]);
  await quiet(alice);
});
