// Comparing messages as different clients see them.
import assert from 'node:assert/strict';

// brief is what must be the same of a message wherever it is seen.
export const brief = ({ ID, from, to, type, payload, time, sequence, random, cloudCustomData }) => (
  { ID, from, to, type, payload, time, sequence, random, cloudCustomData });

// same fails unless both are the same message.
export function same(got, want) {
  assert.deepEqual(brief(got), brief(want));
}

// textOf is a text message's text.
export const textOf = ({ payload }) => payload.text;
