import type { EventBus } from '@threadbus/core';
import { WorkerBus, type WorkerBusOptions } from '@threadbus/worker';
import { onTestFinished } from 'vitest';
import { fixtureUrl } from './fixture.ts';
import { isolation } from './isolation.ts';
import { quietBus } from './quiet-bus.ts';

/** A bus in a thread that runs a fixture of tests/fixtures/worker; stopped when the test is over. */
export async function startBus(fixture: string, options: WorkerBusOptions = {}): Promise<WorkerBus> {
  const bus = await WorkerBus.start(fixtureUrl(`worker/${fixture}`), {
    parent: quietParent(),
    isolation: isolation(),
    ...options,
  });
  onTestFinished(() => bus.stop());
  return bus;
}

let parents = 0;

/** A bus of this thread that logs nothing, to be some thread's parent. */
export function quietParent(): EventBus {
  parents += 1;
  return quietBus({ name: `Parent${parents}` });
}
