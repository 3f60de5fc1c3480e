import { BaseEvent } from '@threadbus/core';
import type { WorkerBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { startBus } from '../../helpers/worker-bus.ts';

const count = 1024;

async function posted(bus: WorkerBus): Promise<number> {
  return (await bus.dispatch(new BaseEvent({}, { event_type: 'Posted' })).eventResult()) as number;
}

for (const type of ['Async', 'Sync']) {
  test(`frames - answers of ${type.toLowerCase()} handlers that settle within one turn go in one frame`, async () => {
    const bus = await startBus('frames-bus', { isolation: 'thread' });
    const before = await posted(bus);
    const sent = Array.from({ length: count }, async (_, n) =>
      bus.dispatch(new BaseEvent({ n }, { event_type: type })).eventResult(),
    );
    expect(await Promise.all(sent)).toEqual(Array.from({ length: count }, (_, n) => n));
    expect((await posted(bus)) - before).toBeLessThan(count / 2);
  });
}

test('frames - an answer for which somebody waits alone leaves by itself', async () => {
  const bus = await startBus('frames-bus', { isolation: 'thread' });
  const before = await posted(bus);
  for (let n = 0; n < 50; n += 1) await bus.dispatch(new BaseEvent({ n }, { event_type: 'Async' })).eventResult();
  expect((await posted(bus)) - before).toBe(51);
});
