import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

/*
 * A function of this side is called for an event of the other side's bus, which is forwarded here, too. It runs out of
 * time, or its answer isn't needed any more: the event stays in the queue of the bus here all the same.
 */
test('cancelled call - the function that runs out of time takes none of the buses along', async () => {
  const { here, there, down, up } = await linkPair();
  const [busy, over] = [gate(), gate()];
  there.on('Busy', async () => {
    busy.open();
    await over.opened;
  });
  const ran: string[] = [];
  there.on('Both', () => {
    ran.push('there');
    return 'there';
  });
  up.on('Both', async () => new Promise(() => undefined), { timeout: 0.05 });
  await ticks();
  here.on('Both', down.dispatch);
  const first = there.dispatch(new BaseEvent({}, { event_type: 'Busy', event_timeout: 60 }));
  await busy.opened;
  const sent = here.dispatch(new BaseEvent({}, { event_type: 'Both', event_timeout: 60 }));
  const [call] = [...(await called(sent.event)).values()];
  await call?.then(undefined, () => undefined);
  await ticks();
  over.open();
  await Promise.all([first, sent]);
  expect(ran).toEqual(['there']);
  expect([...sent.event.event_results.values()].map(({ error }) => (error as Error | null)?.name ?? 'none')).toEqual([
    'HandlerTimeoutError',
    'none',
    'none',
  ]);
});

async function called(event: BaseEvent): Promise<BaseEvent['event_results']> {
  while (event.event_results.size === 0) await ticks(1);
  return event.event_results;
}
