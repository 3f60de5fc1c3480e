import { BaseEvent } from '@threadbus/core';
import { isLinkError } from '@threadbus/link';
import { expect, test } from 'vitest';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

const Work = BaseEvent.extend('Work', {}, { timeout: null });
const Next = BaseEvent.extend('Next', {}, { timeout: null });

function outcomes(event: BaseEvent): string[] {
  return [...event.event_results.values()].map(({ handler_name, status }) => `${handler_name} ${status}`);
}

test('dead link - an event whose next handlers are at the other end settles with its failure', async () => {
  const { here, there, up, down } = await linkPair();
  const [door, begun] = [gate(), gate()];
  here.on(Work, async function slow() {
    begun.open();
    await door.opened;
  });
  up.on(Work, there.dispatch);
  up.on(Work, function guest() {});
  await ticks();
  here.on(Work, function last() {});
  const sent = here.dispatch(new Work({}));
  await begun.opened;
  down.close();
  door.open();
  const event = await sent;
  expect(outcomes(event)).toEqual(['slow completed', `${there.name}.dispatch error`, 'guest error', 'last completed']);
  const errors = [...event.event_results.values()].map(({ error }) => error).filter((error) => error !== null);
  expect(errors.every((error) => isLinkError(error))).toBe(true);
});

test('dead link - a handler that dispatches to it while it ends gets its failure', async () => {
  const { here, there, down } = await linkPair();
  const door = gate();
  there.on(Work, async () => door.opened);
  const late: unknown[] = [];
  here.on(Next, async () => {
    await down
      .dispatch(new Work({}))
      .eventResult()
      .catch((error: unknown) => late.push(error));
    try {
      down.dispatch(new Work({}));
    } catch (error) {
      late.push(error);
    }
  });
  const sent = here.dispatch(new Next({}));
  await there.expect('Work');
  down.close();
  await sent;
  expect(late).toHaveLength(2);
  for (const error of late) expect(isLinkError(error)).toBe(true);
  door.open();
});

test('dead link - a forward that was registered on this side ends with it, too', async () => {
  const { here, there, down } = await linkPair();
  here.on(Work, async function slow() {
    await there.expect('Other', { timeout: 0.01 }).catch(() => undefined);
    down.close();
  });
  here.on(Work, down.dispatch);
  const event = await here.dispatch(new Work({}));
  expect(outcomes(event).map((each) => each.split(' ')[1])).toEqual(['completed', 'error']);
  expect(isLinkError(await rejection(event.eventResult({ include: () => true })))).toBe(true);
});

test('dead link - whoever waits for a place on it is told of its failure, in a handler and outside', async () => {
  const { here, down } = await linkPair({ maxInFlight: 1, maxPending: 1 });
  const sent = [down.dispatch(new Work({})), down.dispatch(new Work({}))];
  const waits = [down.waitForCapacity(), down.waitForCapacity()];
  const begun = gate();
  here.on(Next, async () => {
    const wait = down.waitForCapacity();
    begun.open();
    await wait;
  });
  const inHandler = here.dispatch(new Next({}));
  await begun.opened;
  const failures = waits.map(rejection);
  down.close();
  for (const failure of await Promise.all(failures)) expect(isLinkError(failure)).toBe(true);
  expect(await inHandler.eventErrors()).toSatisfy(([error]: unknown[]) => isLinkError(error));
  await Promise.all(sent);
});
