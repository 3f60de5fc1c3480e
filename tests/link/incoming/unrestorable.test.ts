import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { registerPortableContext } from '@threadbus/link';
import { expect, onTestFinished, test } from 'vitest';
import { ticks } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

/*
 * What a class, or a context, of the user does when an event comes over a link is the user's: if it throws, that event
 * fails, with the reason, and neither the link nor what came in the same frame.
 */
function event(event_type: string): BaseEvent {
  return new BaseEvent({ n: 1 }, { event_type, event_timeout: 60 });
}

const Base = BaseEvent.extend('Hostile', {});

class Throwing extends Base {
  constructor(...given: ConstructorParameters<typeof Base>) {
    super(...given);
    throw new RangeError('no such order');
  }
}

class ReadOnly extends Base {
  get n(): number {
    return 7;
  }
}

class Forgetful extends Base {
  constructor(payload: ConstructorParameters<typeof Base>[0]) {
    super({ ...payload });
  }
}

class Undefined extends Base {
  constructor(...given: ConstructorParameters<typeof Base>) {
    super(...given);
    // oxlint-disable-next-line typescript/only-throw-error -- as users do
    throw undefined;
  }
}

async function errorOf(bus: Pick<EventBus, 'dispatch'>, type: string): Promise<Error> {
  const [result] = (await bus.dispatch(event(type))).event_results.values();
  return result?.error as Error;
}

for (const [Class, why] of [
  [Throwing, 'no such order'],
  [ReadOnly, 'only a getter'],
  [Forgetful, 'another event'],
  [Undefined, 'undefined'],
] as const) {
  test(`unrestorable - the class ${Class.name} fails its own events alone`, async () => {
    const { there, down } = await linkPair();
    let ran = 0;
    there.on(Class, () => (ran += 1));
    there.on('Fine', () => 'fine');
    const all = [down.dispatch(event('Fine')), errorOf(down, 'Hostile'), down.dispatch(event('Fine'))] as const;
    const error = await all[1];
    expect(error.message).toContain(why);
    expect(error.message).toContain(`made an instance of ${Class.name}`);
    expect(ran).toBe(0);
    for (const fine of [all[0], all[2]]) expect(await fine.eventResult()).toBe('fine');
  });
}

test('unrestorable - an event that comes back needs no new object', async () => {
  const { here, there, down, up } = await linkPair();
  const Class = BaseEvent.extend('Hostile', {});
  let throws = false;
  class Once extends Class {
    constructor(...given: ConstructorParameters<typeof Class>) {
      super(...given);
      if (throws) throw new Error('made twice');
    }
  }
  here.on(Once, () => 'here');
  there.on('*', up.dispatch);
  const sent = new Once({});
  throws = true;
  await down.dispatch(sent);
  expect([...sent.event_results.values()].map(({ error }) => error)).toEqual([null, null]);
});

test('unrestorable - an expected event, and a child, of such a class are plain ones', async () => {
  const { here, there, down } = await linkPair();
  // Known on this side as a class for what comes from there.
  here.on(Throwing, () => undefined);
  const expected = down.expect(Throwing, { timeout: 60 });
  there.on('Parent', ({ event_bus }) => event_bus.dispatch(event('Hostile')));
  const parent = await down.dispatch(event('Parent'));
  expect(parent.event_children.map(({ event_type }) => event_type)).toEqual(['Hostile']);
  expect((await expected).event_type).toBe('Hostile');
  await ticks();
});

for (const [what, run, why] of [
  [
    'throws',
    () => {
      throw new RangeError('no such request');
    },
    'no such request',
  ],
  ['gives nothing back', () => undefined, 'gave nothing back'],
] as const) {
  test(`unrestorable - a portable context that ${what} fails the event alone`, async () => {
    const store = new AsyncLocalStorage<string>();
    const name = `unrestorable ${what}`;
    onTestFinished(registerPortableContext({ name, capture: () => store.getStore(), run: run as never }));
    const { there, down } = await linkPair();
    there.on('*', () => 'fine');
    const failed = store.run('value', () => errorOf(down, 'WithContext'));
    const fine = down.dispatch(event('Fine'));
    expect((await failed).message).toContain(why);
    expect(await fine.eventResult()).toBe('fine');
  });
}
