// Every name that this server sends to clients, against the names that the two official SDKs read.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

const packageFile = createRequire(import.meta.url);
const wordsOf = (name) => new Set(readFileSync(packageFile.resolve(name), 'utf8').match(/[A-Za-z_][A-Za-z0-9_]*/g));
const full = wordsOf('@tencentcloud/chat');
const lite = wordsOf('@tencentcloud/lite-chat/professional');
const sent = JSON.parse(readFileSync(new URL('../../api/names.json', import.meta.url), 'utf8'));

// Names for our own clients, and for those whose libraries are not in JavaScript.
const ours = new Set([
  'CurruentSequence', 'Fail_Account', 'InvalidMsgKeyList', 'MoreFlag', 'MsgCnt', 'MsgId', 'UnreadMsgNum',
  // Official accounts, of which neither SDK knows more than what they say.
  'MaxSubscriberNum', 'OfficialAccountInfoList', 'Official_Account', 'Organization', 'SubscribeTime', 'SubscriberList', 'SubscriberNum',
  'Subscriber_Account',
]);

// Names that only the full SDK reads. The lite one has a word of its own for the same thing, and reads another name that is
// sent beside them, or does without.
const fullOnly = new Set(['MemberList_Account', 'MuteUntil', 'Time', 'request_id']);

// The full SDK reads a name that stands in none of its tables with its first letter small, and with a large one in place of each "_".
const small = (name) => (name[0].toLowerCase() + name.slice(1)).replace(/_+(.)/g, (_, letter) => letter.toUpperCase());
const readers = {
  full: { words: full, reads: (name) => full.has(name) || full.has(small(name)) },
  lite: { words: lite, reads: (name) => lite.has(name) },
};
const known = (name) => Object.values(readers).some(({ reads }) => reads(name));

test('a name is one that an SDK reads', () => {
  assert.deepEqual(Object.keys(sent).filter((name) => !known(name) && !ours.has(name)), []);
});

test('nothing is excused that an SDK reads, or that is not sent', () => {
  assert.deepEqual([...ours].filter((name) => known(name) || !(name in sent)), []);
});

const folded = (name) => name.toLowerCase().replaceAll('_', '');

for (const [which, { words, reads }] of Object.entries(readers)) {
  test(`a name is sent in the case in which the ${which} SDK reads it`, () => {
    const cases = new Set([...words].map(folded));
    const good = Object.entries(sent).filter(([name]) => reads(name)).map(([name, where]) => `${folded(name)} ${where}`);
    const excused = (name) => ours.has(name) || (which === 'lite' && fullOnly.has(name));
    const wrong = Object.entries(sent).filter(([name, where]) => !excused(name) && !reads(name) && cases.has(folded(name))
      && !good.includes(`${folded(name)} ${where}`));
    assert.deepEqual(wrong, []);
  });
}
