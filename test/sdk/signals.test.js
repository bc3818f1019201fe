// Invitations, as calls and games use them. The SDK makes them of custom messages and has no command for them, so what they need
// is that such messages come at once, come to who was away, and can be edited.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Server } from './harness/server.js';

let server;
before(async () => { server = await Server.start(); });
after(() => server.stop());

let people = 0;

// pair gives two users who listen for invitations; only the first is logged in.
async function pair(t) {
  const [alice, bob] = ['alice', 'bob'].map((role) => server.guest(t, `${role}-signals-${++people}`, { signals: true }));
  await alice.login();
  await server.rest('im_open_login_svc/account_import', { UserID: bob.user });
  return [alice, bob];
}

async function club(...members) {
  const { GroupId } = await server.rest('group_open_http_svc/create_group', {
    Type: 'Public', Name: 'club', Owner_Account: members[0].user,
    MemberList: members.slice(1).map(({ user }) => ({ Member_Account: user })),
  });
  return GroupId;
}

const invited = (client, inviteID) => client.next('NEW_INVITATION_RECEIVED', (event) => event.inviteID === inviteID);

test('an invitation is accepted', async (t) => {
  const [alice, bob] = await pair(t);
  await bob.login();
  const { inviteID } = await alice.call('invite', { userID: bob.user, data: 'play?', timeout: 60 });
  const { inviter, inviteeList, data } = await invited(bob, inviteID);
  assert.deepEqual([inviter, inviteeList, data], [alice.user, [bob.user], 'play?']);
  await bob.call('accept', { inviteID, data: 'yes' });
  const accepted = await alice.next('INVITEE_ACCEPTED');
  assert.deepEqual([accepted.inviteID, accepted.invitee, accepted.data], [inviteID, bob.user, 'yes']);
});

test('an invitation is edited and cancelled', async (t) => {
  const [alice, bob] = await pair(t);
  await bob.login();
  const { inviteID } = await alice.call('invite', { userID: bob.user, data: 'chess?', timeout: 60 });
  await invited(bob, inviteID);
  await alice.call('modifyInvitation', { inviteID, data: 'draughts?' });
  assert.equal((await bob.next('INVITATION_MODIFIED')).data, 'draughts?');
  await alice.call('cancel', { inviteID, data: 'too late' });
  assert.equal((await bob.next('INVITATION_CANCELLED')).inviteID, inviteID);
});

test('who was away is told of an invitation at the next login, and turns it down', async (t) => {
  const [alice, bob] = await pair(t);
  const { inviteID } = await alice.call('invite', { userID: bob.user, data: 'call me', timeout: 60 });
  await bob.login();
  assert.equal((await invited(bob, inviteID)).data, 'call me');
  await bob.call('reject', { inviteID, data: 'busy' });
  assert.equal((await alice.next('INVITEE_REJECTED')).data, 'busy');
});

test('members of a group are invited, there and away', async (t) => {
  const [alice, bob] = await pair(t);
  const carol = server.guest(t, `carol-signals-${people}`, { signals: true });
  await carol.login();
  const groupID = await club(alice, bob, carol);
  await carol.next('MESSAGE_RECEIVED');
  const { inviteID } = await alice.call('inviteInGroup', {
    groupID, inviteeList: [bob.user, carol.user], data: 'all together', timeout: 60,
  });
  assert.equal((await invited(carol, inviteID)).groupID, groupID);
  await carol.call('accept', { inviteID, data: 'here' });
  assert.equal((await alice.next('INVITEE_ACCEPTED')).invitee, carol.user);
  await bob.login();
  assert.equal((await invited(bob, inviteID)).data, 'all together');
  await bob.call('accept', { inviteID, data: 'here too' });
  assert.equal((await alice.next('INVITEE_ACCEPTED')).invitee, bob.user);
});

test('an invitation that nobody answers ends on both sides', async (t) => {
  const [alice, bob] = await pair(t);
  await bob.login();
  const { inviteID } = await alice.call('invite', { userID: bob.user, data: 'quick', timeout: 1 });
  await invited(bob, inviteID);
  for (const side of [alice, bob]) assert.equal((await side.next('INVITATION_TIMEOUT')).inviteID, inviteID);
});
