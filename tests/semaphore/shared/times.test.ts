import { expect, test } from 'vitest';
import { SharedMemory } from '../../../packages/semaphore/dist/shared/shared-memory.js';

const day = 86_400_000;

test.each([
  ['of this moment', 0],
  ['a moment ago', -3],
  ['of six weeks ago', -42 * day],
  ['of a clock that was set back since', 600_000],
])('shared times - one %s comes back as it was', (_what, away) => {
  const memory = SharedMemory.create('0123456789abcdef', true);
  // Those of an even and of an odd millisecond.
  for (const time of [Date.now() + away, Date.now() + away + 1]) {
    const read = memory.unpackTime(memory.packTime(time) | 0);
    expect(Math.abs(read - time)).toBeLessThanOrEqual(1);
  }
});
