// docs/compat.md says what is so.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { file, page } from './compat.js';

test('the page of what is served and tested is current', () => {
  assert.equal(readFileSync(file, 'utf8'), page(), 'run `make generate`');
});
