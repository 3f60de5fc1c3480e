import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onThreadEnd, type WorkerBus } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Havoc } from '../../fixtures/worker/events.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { thrown } from '../../helpers/thrown.ts';
import { startBus } from '../../helpers/worker-bus.ts';

async function endingBus(data: object = {}): Promise<{ bus: WorkerBus; notes: () => string[] }> {
  const file = join(tempFolder(), 'notes');
  writeFileSync(file, '');
  const bus = await startBus('end-hooks-bus', { workerData: { ...data, file } });
  return { bus, notes: () => readFileSync(file, 'utf8').split('\n').slice(0, -1) };
}

test('end hooks - all of them run side by side before a thread ends by stop', async () => {
  const { bus, notes } = await endingBus();
  await bus.stop();
  expect(notes()).toEqual(['first begins', 'second', 'first ends']);
});

test('end hooks - one that never ends holds the stop up for a second, not longer', async () => {
  const { bus, notes } = await endingBus({ slow: true });
  const started = performance.now();
  await bus.stop();
  expect(performance.now() - started).toBeLessThan(5000);
  expect(notes()).toEqual(['first begins', 'second', 'first ends']);
});

test('end hooks - none runs before a thread that is ended for blocking, or that crashes', async () => {
  const { bus, notes } = await endingBus();
  await bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 }));
  await bus.dispatch(new Havoc({ what: 'uncaught throw' }));
  expect(notes()).toEqual([]);
});

test('end hooks - on the main thread they are accepted; what is no function is refused', () => {
  const remove = onThreadEnd(() => undefined);
  remove();
  expect(thrown(() => onThreadEnd('flush' as never)).message).toMatch(
    /Expected onThreadEnd to get a function.*got string/,
  );
});
