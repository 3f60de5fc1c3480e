import { isDeepStrictEqual } from 'node:util';
import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { isolate } from '../../helpers/isolation.ts';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { startBus } from '../../helpers/worker-bus.ts';

isolate('process');

test('chunks - frames of all sizes come whole over a stream that is read into the same memory again', async () => {
  const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`chunks: seed ${seed}`);
  const random = randomNumbers(seed);
  const bus = await startBus('echo-bus');
  const echo = async (value: unknown): Promise<boolean> => {
    const result = await bus.dispatch(new BaseEvent({ value }, { event_type: 'Echo' })).eventResult();
    // `toEqual` takes seconds for a megabyte.
    return isDeepStrictEqual(result, { value });
  };
  const size = (): number => Math.floor(2 ** (random() * 19));
  const values = Array.from({ length: 300 }, (_, i) =>
    i % 2 === 0 ? `${i}é`.repeat(size() / 4) : new Uint8Array(size()).fill(i),
  );
  expect(await Promise.all(values.map(echo))).not.toContain(false);
});
