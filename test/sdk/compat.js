// What of the interface is served and tested, as docs/compat.md: every REST command of docs/protocol/rest.md, and every public method
// and event of the official SDK, read from its type declarations. `node compat.js` writes the page; compat.test.js holds it against
// the code.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
export const file = new URL('docs/compat.md', root);

// filesBelow lists the files below a folder whose names end so.
function filesBelow(folder, ends) {
  return readdirSync(new URL(folder, root), { withFileTypes: true }).sort((x, y) => (x.name < y.name ? -1 : 1)).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.name === 'node_modules' || entry.name === 'testdata') return [];
    if (entry.isDirectory()) return filesBelow(path, ends);
    return entry.name.endsWith(ends) ? [path] : [];
  });
}

// The test of hostile input names every command, whatever it does; and that of absent things, what does not exist.
const sayNothing = ['internal/server/input_test.go', 'test/sdk/absent.test.js', 'test/sdk/compat.test.js'];
const told = (path) => !sayNothing.includes(path);

const goTests = filesBelow('internal', '_test.go').filter(told).map((path) => ({ where: path.split('/').slice(1, -1).join('/'), text: read(path) }));
const sdkFiles = filesBelow('test/sdk', '.test.js');
const sdkTests = sdkFiles.filter(told).map((path) => ({ where: path.slice('test/sdk/'.length, -'.test.js'.length), text: read(path) }));
const harness = filesBelow('test/sdk/harness', '.js').map(read).join('\n');

// commands are those of the interface's page, in its order.
function commands() {
  const all = [];
  let [section, anchor] = ['', ''];
  for (const line of read('docs/protocol/rest.md').split('\n')) {
    const heading = /^(##|###) (\S+)$/.exec(line);
    if (heading?.[1] === '##') [, , section] = heading;
    if (heading?.[1] === '###') anchor = heading[2].replaceAll('/', '');
    const post = /^`POST \/v4\/([A-Za-z_]+)\/([A-Za-z0-9_/]+)` — (.*?)(?: \*\*Served\.\*\*)?$/.exec(line);
    if (post) all.push({ section, anchor, service: post[1], name: post[2], does: post[3] });
  }
  return all;
}

const served = new Set([...read('api/commands.md').matchAll(/^\| \[`([^`]+)`\]\([^)]*\) \| ([^|]*) \|/gm)].filter(([, , doors]) => doors.includes('REST'))
  .map(([, name]) => name));

// testsOf are the rooms, and the files of this folder, whose tests name a command.
function testsOf({ service, name }) {
  const whole = new RegExp(`${service}[/.]${name}["'\`]`);
  const alone = new RegExp(`["'\`]${name}["'\`]`);
  const names = ({ text }) => whole.test(text) || (name.includes('_') && text.includes(service) && alone.test(text));
  return [...new Set([...goTests.filter(names).map(({ where }) => where), ...sdkTests.filter(names).map(({ where }) => `sdk: ${where}`)])];
}

const few = (all) => (all.length > 3 ? [...all.slice(0, 3), '…'] : all).join(', ');

function restTable() {
  const lines = [];
  let section = '';
  for (const command of commands()) {
    if (command.section !== section) {
      section = command.section;
      lines.push('', `### ${section}`, '', '| command | served | tested in |', '|---|---|---|');
    }
    const is = served.has(`${command.service}/${command.name}`);
    lines.push(`| [\`${command.service}/${command.name}\`](protocol/rest.md#${command.anchor}) | ${is ? 'yes' : 'no'} | ${is ? few(testsOf(command)) : ''} |`);
  }
  return lines;
}

const declarations = () => readFileSync(createRequire(import.meta.url).resolve('@tencentcloud/chat').replace(/[^/]+$/, 'index.d.ts'), 'utf8');

// methods are the SDK's, and whether each answers by a promise: the others ask no server.
function methods(text) {
  const body = /declare class ChatSDK \{([\s\S]*?)^\}/m.exec(text)[1];
  const found = new Map();
  for (const [, name, answer] of body.matchAll(/^ {2}([a-zA-Z]\w*)\([^\n]*\): ([^;\n]*);/gm)) found.set(name, answer.startsWith('Promise'));
  return [...found].map(([name, asks]) => ({ name, asks }));
}

const events = (text) => [...(/enum EVENT \{([\s\S]*?)^ {2}\}/m.exec(text)[1]).matchAll(/^ {4}([A-Z_0-9]+) = '/gm)].map(([, name]) => name);

// usersOf are the test files that call a method; those that make messages are called by the kind's name.
const called = (name) => new RegExp(`['.]${name}['(]`);
function usersOf(name) {
  const kind = /^create(\w+)Message$/.exec(name)?.[1];
  return sdkTests.filter(({ text }) => called(name).test(text) || (kind && text.includes(`'${kind}'`))).map(({ where }) => where);
}

const absent = read('test/sdk/absent.test.js');
function stateOf({ name, asks }) {
  const users = usersOf(name);
  if (users.length > 0) return few(users);
  if (called(name).test(harness)) return 'all of them';
  if (called(name).test(absent)) return 'ends with a code or a result: absent';
  return asks ? '' : 'asks no server';
}

// A test takes an event by its name, or messages by received.
const waits = (name) => (name === 'MESSAGE_RECEIVED' ? /received\(/ : new RegExp(`(next|left)\\('${name}'|'${name}',`));

// page is the text of docs/compat.md.
export function page() {
  const text = declarations();
  const all = methods(text).map((method) => ({ ...method, state: stateOf(method) }));
  const heard = events(text).map((name) => ({ name, users: sdkTests.filter((one) => waits(name).test(one.text)).map(({ where }) => where) }))
    .map((one) => ({ ...one, state: one.users.length > 0 ? few(one.users) : harness.includes(`next('${one.name}'`) ? 'all of them' : '' }));
  const posts = commands();
  const count = posts.filter(({ service, name }) => served.has(`${service}/${name}`)).length;
  const tried = (list) => list.filter(({ state }) => state !== '' && !state.startsWith('ends') && !state.startsWith('asks')).length;
  return [
    '<!-- Generated by `make generate`; do not edit. -->', '', '# What is served, and tested', '',
    'Every REST command of [the interface](protocol/rest.md), and every public method and event of the official web SDK, with the tests that use',
    'them: rooms of `internal`, and files of `test/sdk`. An SDK method that is only in `absent` is called there and ends, with a code as a rule.',
    'Magpie has further commands that only clients use: [all of them](../api/commands.md).', '',
    `Served: ${count} of ${posts.length} REST commands. Tested with the SDK: ${tried(all)} of ${all.length} methods, ${tried(heard)} of ${heard.length} events.`,
    '', '## REST commands', ...restTable(), '', '## Methods of the SDK', '', '| method | tested in |', '|---|---|',
    ...all.map(({ name, state }) => `| \`${name}\` | ${state} |`), '', '## Events of the SDK', '', '| event | tested in |', '|---|---|',
    ...heard.map(({ name, state }) => `| \`${name}\` | ${state} |`), '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, page());
