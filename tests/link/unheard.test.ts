import { MessageChannel } from 'node:worker_threads';
import { BaseEvent } from '@threadbus/core';
import { isLinkError, linkBuses } from '@threadbus/link';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { rejection, stateOf } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';

// Faked before the bus is loaded, for the whole file: once it is, its timers are Node's own whatever a test does.
vi.hoisted(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));

const Work = BaseEvent.extend('Work', { n: z.number() });

test('link - nobody at the other end: after 10 s the handshake is given up', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port2.close());
  const down = linkBuses(quietBus({ name: 'Unheard' }), port1);
  const sent = rejection(down.dispatch(new Work({ n: 1 })).eventResult());
  const refused = rejection(down);
  vi.advanceTimersByTime(9_990);
  expect(await stateOf(refused)).toBe('pending');
  vi.advanceTimersByTime(20);
  for (const error of [await refused, await sent]) {
    expect(isLinkError(error)).toBe(true);
    expect(error.message).toBe("Nobody called linkBuses() at the other end of Unheard's port within 10 s.");
  }
});
