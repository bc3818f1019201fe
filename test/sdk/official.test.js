// Official accounts: what they say to all their subscribers, and the conversations that these have with them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { quiet } from './harness/client.js';
import { Server, textElement } from './harness/server.js';

const service = 'official_account_open_http_svc/';
const news = '@TOA#_news';

let server;
before(async () => {
  server = await Server.start();
  await server.rest('im_open_login_svc/account_import', { UserID: 'editor' });
  await server.rest(`${service}create_official_account`, {
    Owner_Account: 'editor', OfficialAccountUserID: news, Name: 'The News', FaceUrl: 'http://x/news.png',
  });
});
after(() => server.stop());

let number = 0;
const say = (text) => server.rest(`${service}send_official_account_msg`, { Official_Account: news, Random: ++number, MsgBody: [textElement(text)] });
const change = (command, ...clients) => server.rest(service + command, {
  Official_Account: news, SubscriberList: clients.map(({ user }) => ({ Subscriber_Account: user })),
});

test('subscribers hear, and see a conversation as any other', async (t) => {
  const [alice, bob] = await server.cast(t, 'alice', 'bob');
  await change('add_subscriber', alice);
  await say('good morning');
  const first = await alice.received();
  assert.deepEqual([first.from, first.nick, first.avatar, first.conversationID, first.flow, first.payload.text],
    [news, 'The News', 'http://x/news.png', `C2C${news}`, 'in', 'good morning']);
  const { unreadCount, lastMessage, userProfile } = await alice.conversation(news);
  assert.deepEqual([unreadCount, lastMessage.payload.text, userProfile.nick], [1, 'good morning', 'The News']);
  const { MsgKey } = await say('wrong');
  const second = await alice.received();
  await server.rest(`${service}official_account_msg_recall`, { Official_Account: news, MsgKeyList: [MsgKey], Reason: 'wrong' });
  assert.equal((await alice.next('MESSAGE_REVOKED')).ID, second.ID);
  await alice.call('setMessageRead', { conversationID: `C2C${news}` });
  await quiet(alice, bob);

  await alice.close();
  await say('good evening');
  const again = server.guest(t, alice.user);
  await again.login();
  const list = await again.conversation(news);
  assert.deepEqual([list.unreadCount, list.lastMessage.payload.text], [1, 'good evening']);
  const { messageList } = (await again.call('getMessageList', { conversationID: `C2C${news}` })).data;
  assert.deepEqual(messageList.map(({ payload, isRevoked }) => isRevoked ? 'recalled' : payload.text), ['good morning', 'recalled', 'good evening']);

  await change('delete_subscriber', again);
  await say('good night');
  await quiet(again);
  assert.deepEqual((await bob.call('getMessageList', { conversationID: `C2C${news}` })).data.messageList, []);
});
