import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { rejection } from '../../helpers/gate.ts';

const Ping = BaseEvent.extend('Ping', {});

test('signal - one that has aborted ends every wait, also one that would have nothing to wait for', async () => {
  const bus = quietBus();
  bus.on(Ping, () => 'pong');
  const event = await bus.dispatch(new Ping({}));
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  const waits = [
    event.eventCompleted({ signal }),
    event.eventErrors({ signal }),
    event.eventResult({ signal }),
    event.eventResultsList({ signal }),
    event.eventResultsFlatDict({ signal }),
    bus.find(Ping, { signal }),
    bus.find(Ping, { future: true, signal }),
    bus.expect(Ping, { signal }),
    bus.waitUntilIdle({ signal }),
    bus.waitForCapacity({ signal }),
  ];
  for (const wait of waits) expect(await rejection(wait)).toBe(reason);
});
