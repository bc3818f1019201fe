// `npm test`: builds the programs once and runs the test files, a few at a time. Names of files may be given:
// `npm test -- chat.test.js`.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { magpie, nats } from './harness/binary.js';
import { executable } from './harness/browser.js';
import { installed } from './harness/postgres.js';

const folder = fileURLToPath(new URL('.', import.meta.url));
const given = process.argv.slice(2);
const options = given.filter((one) => one.startsWith('-'));
const named = given.filter((one) => !one.startsWith('-'));
const files = named.length > 0 ? named : readdirSync(folder).filter((name) => name.endsWith('.test.js'));

magpie();
if (installed()) nats();
else console.log('test/sdk: SKIPPED nodes.test.js: PostgreSQL is not installed (Debian: apt-get install postgresql)');
if (!executable()) console.log('test/sdk: SKIPPED browser.test.js: chromium is not installed (Debian: apt-get install chromium)');

// The tests wait more than they work, so two files for each core; and a test that hangs must not hang everything.
const { status } = spawnSync(process.execPath, [
  '--test', `--test-concurrency=${2 * availableParallelism()}`, '--test-timeout=180000', '--test-reporter=spec', ...options, ...files,
], { cwd: folder, stdio: 'inherit' });
process.exit(status ?? 1);
