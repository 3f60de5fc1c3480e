import { BaseEvent, isHandlerCancelledError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { linkPair } from '../link-pair.ts';

/*
 * An event is cancelled where it was dispatched while it is on its way back there. What comes is ended as it is taken: it
 * is to be answered all the same, for the other side waits for that, and the one here for the other side.
 */
test.each([1, 3])(
  'cancelled on its way - it is complete on both sides, with %i handlers at a time',
  async (concurrency) => {
    const { here, there, down, up } = await linkPair({}, { concurrency });
    const controller = new AbortController();
    const ran: string[] = [];
    here.on('Both', () => void ran.push('here'));
    there.on('Both', up.dispatch);
    there.on('Both', () => {
      controller.abort(new Error('given up'));
    });
    const event = await down.dispatch(new BaseEvent({}, { event_type: 'Both', event_timeout: null }), {
      signal: controller.signal,
    });
    expect(event.event_status).toBe('completed');
    expect(ran).toEqual([]);
    const ofHere = [...event.event_results.values()].filter(({ eventbus_id }) => eventbus_id === here.id);
    expect(ofHere.map(({ error }) => isHandlerCancelledError(error))).toEqual([true]);
    expect(await Promise.all([here, there].map((bus) => bus.waitUntilIdle({ timeout: 10 })))).toEqual([true, true]);
  },
);

test('cancelled on its way - a function of the other side that it comes to is answered for, too', async () => {
  const { here, there, down, up } = await linkPair();
  const controller = new AbortController();
  // A function of this side on the bus there, and the event passes that bus once it is cancelled here.
  up.on('Both', () => undefined);
  down.on('Both', () => undefined);
  there.on('Both', () => {
    controller.abort(new Error('given up'));
  });
  there.on('Both', up.dispatch);
  const event = await down.dispatch(new BaseEvent({}, { event_type: 'Both', event_timeout: null }), {
    signal: controller.signal,
  });
  expect(event.event_status).toBe('completed');
  expect(await Promise.all([here, there].map((bus) => bus.waitUntilIdle({ timeout: 10 })))).toEqual([true, true]);
});
