import { BaseEvent, isUnserializableError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { isolate } from '../../helpers/isolation.ts';
import { startBus } from '../../helpers/worker-bus.ts';

isolate('process');

const memory = new SharedArrayBuffer(8);

test.each([
  { value: memory, path: 'value', what: 'SharedArrayBuffer' },
  { value: new Int32Array(memory), path: 'value', what: 'Int32Array' },
  { value: { list: [1, new Map([['view', new DataView(memory)]])] }, path: 'value.list[1].view', what: 'DataView' },
])('shared memory - that it is none of another process is said of the field ($path, $what)', async (given) => {
  const bus = await startBus('echo-bus');
  const echo = async (value: unknown): Promise<unknown> =>
    bus.dispatch(new BaseEvent({ value }, { event_type: 'Echo' })).eventResult();
  const [before, error, after] = await Promise.all([echo(1), rejection(echo(given.value)), echo(2)]);
  expect([before, after]).toEqual([{ value: 1 }, { value: 2 }]);
  expect(isUnserializableError(error) && error.path).toBe(given.path);
  expect(error.message).toContain(`field "${given.path}" (an instance of ${given.what}) cannot cross`);
});
