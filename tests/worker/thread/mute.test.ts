import { BaseEvent } from '@threadbus/core';
import { isWorkerCrashedError, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietParent } from '../../helpers/worker-bus.ts';

test(
  "mute - a thread that isn't blocked and answers nothing, for a handler replaced postMessage, is replaced in seconds",
  { timeout: 30_000 },
  async () => {
    const core = import.meta.resolve('@threadbus/core');
    const worker = import.meta.resolve('@threadbus/worker');
    const bus = await WorkerBus.start(
      moduleOf(`
        import { EventBus } from ${JSON.stringify(core)};
        import { exposeBus } from ${JSON.stringify(worker)};
        const bus = new EventBus({ name: 'Mute' });
        bus.on('Break', () => { MessagePort.prototype.postMessage = () => undefined; });
        bus.on('Plain', ({ n }) => n);
        exposeBus(bus);`),
      { parent: quietParent() },
    );
    onTestFinished(() => bus.stop());
    const { threadId } = bus;
    const ask = (event_type: string, n = 0): Promise<unknown> =>
      bus.dispatch(new BaseEvent({ n }, { event_type, event_timeout: 60 })).eventResult();

    const error = await rejection(ask('Break'));
    expect(isWorkerCrashedError(error)).toBe(true);
    expect(error.message).toMatch(/takes messages and answers none.*postMessage/);
    expect(await ask('Plain', 2)).toBe(2);
    expect(bus.threadId).not.toBe(threadId);
    expect(bus.failure).toBeNull();
    expect(bus.stats().restarts).toBe(1);
  },
);
