import { BaseEvent, isAwaitCycleError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Both, Circle, Down, Echo, Hold, Jump, Note, Noted } from '../fixtures/worker/conformance-events.ts';
import { circles, type Subject } from './subject.ts';

const Outer = BaseEvent.extend('Outer', {});

/** Awaits inside handlers: ahead of the queue, over threads, without deadlock. */
export function awaitingTests(subject: () => Subject): void {
  test('await - a child awaited by its handler runs ahead of the queue', async () => {
    const { bus } = subject();
    bus.dispatch(new Jump({ key: 'jump' }));
    for (let i = 0; i < 100; i += 1) bus.dispatch(new Note({ key: 'jump', value: 9 }));
    expect(await bus.dispatch(new Noted({ key: 'jump' })).eventResult()).toEqual([
      1,
      2,
      3,
      ...Array<number>(100).fill(9),
    ]);
  });

  test('await - a child awaited at home jumps the queue of the bus, also when it was sent before', async () => {
    const { bus, home, seen, release } = subject();
    bus.dispatch(new Hold({ key: 'remote' }));
    await seen('remote').opened;
    for (let value = 0; value < 100; value += 1) bus.dispatch(new Note({ key: 'remote', value }));
    const sent = new Note({ key: 'remote', value: -1 });
    bus.dispatch(sent);
    using _outer = home.on(Outer, async () => {
      release('remote').open();
      await sent.eventCompleted();
    });
    await home.dispatch(new Outer({}));
    const noted = (await bus.dispatch(new Noted({ key: 'remote' })).eventResult()) as number[];
    expect(noted).toHaveLength(101);
    expect(noted.indexOf(-1)).toBeLessThan(100);
  });

  test('await - back and forth between two buses, to a depth of 40', async () => {
    const { bus } = subject();
    expect(await bus.dispatch(new Down({ left: 40 })).eventResult()).toBe(40);
  });

  test('await - many at once, back and forth', async () => {
    const { bus } = subject();
    const values = await Promise.all(
      Array.from({ length: 20 }, () => bus.dispatch(new Down({ left: 6 })).eventResult()),
    );
    expect(values).toEqual(Array(20).fill(6));
  });

  test('await - several together, on two buses', async () => {
    expect(await subject().bus.dispatch(new Both({})).eventResult()).toEqual(['here', 0]);
  });

  test('await - an event that needs the handler’s own is refused, wherever the two are', async () => {
    const { bus } = subject();
    const sent = new Circle({});
    let refused: unknown = null;
    circles.set(sent.event_id, () =>
      sent.eventCompleted().catch((error: unknown) => {
        refused = error;
      }),
    );
    await bus.dispatch(sent);
    expect(isAwaitCycleError(refused)).toBe(true);
    expect(sent.event_status).toBe('completed');
  });

  test('await - an outside wait does not jump', async () => {
    const { bus } = subject();
    const order: string[] = [];
    void bus.dispatch(new Note({ key: 'outside', value: 1 })).then(() => order.push('first'));
    await bus.dispatch(new Echo({ value: 1 })).then(() => order.push('second'));
    expect(order).toEqual(['first', 'second']);
  });
}
