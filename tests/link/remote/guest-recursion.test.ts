import { BaseEvent, isRecursionLimitError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked, linkPair } from '../link-pair.ts';

const limit = 8;

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 60 });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

/** Of an event and all below it. */
function refusals(top: BaseEvent): number {
  return [...top.event_results.values()].reduce(
    (sum, { error, event_children }) =>
      sum + (isRecursionLimitError(error) ? 1 : 0) + event_children.reduce((below, each) => below + refusals(each), 0),
    0,
  );
}

test('recursion - a function that another bus has registered here, nested in itself', async () => {
  const { here, up } = await linkPair({}, { maxRecursionDepth: limit });
  let runs = 0;
  up.on('Again', async function again() {
    runs += 1;
    if (runs < 100) await up.dispatch(event('Again'));
  });
  await turns(10);
  expect(refusals(await here.dispatch(event('Again')))).toBe(1);
  expect(runs).toBe(limit + 1);
});

test('recursion - two such functions, each nested in the other, with a hop on their own side', async () => {
  const { here, there, up } = await linkPair({}, { maxRecursionDepth: limit });
  let runs = 0;
  up.on('First', async function first() {
    runs += 1;
    if (runs < 100) await there.dispatch(event('Local'));
  });
  there.on('Local', async () => void (await up.dispatch(event('Second'))));
  up.on('Second', async function second() {
    await up.dispatch(event('First'));
  });
  await turns(10);
  await here.dispatch(event('First'));
  expect(runs).toBe(limit + 1);
});

test('recursion - functions of one side on the buses of two others, and what the limit of their bus is', async () => {
  const { here, there, up } = await linkPair({}, { maxRecursionDepth: limit });
  const third = quietBus({ name: 'GuestThird', maxRecursionDepth: null });
  const { down } = await linked(there, third);
  let runs = 0;
  up.on('First', async function first() {
    runs += 1;
    if (runs < 100) await down.dispatch(event('Second'));
  });
  down.on('Second', async function second() {
    await up.dispatch(event('First'));
  });
  await turns(10);
  await here.dispatch(event('First'));
  expect(runs).toBe(limit + 1);
});
