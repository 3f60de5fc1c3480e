import { isBusError, isNoResultError, isResultConflictError, isResultValidationError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Add, Echo, Facts, Hold, Local, Note, Noted } from '../fixtures/worker/conformance-events.ts';
import { nextTurn, rejection } from '../helpers/gate.ts';
import type { Subject } from './subject.ts';

/** Dispatch, order, results and the helpers that put them together. */
export function resultTests(subject: () => Subject): void {
  test('result - a dispatch is pending at once and gives the completed event when awaited', async () => {
    const { bus } = subject();
    const sent = new Add({ a: 1, b: 2 });
    const dispatch = bus.dispatch(sent);
    expect(sent.event_status).toBe('pending');
    expect(await dispatch).toBe(sent);
    expect(sent.event_status).toBe('completed');
    expect(await dispatch.eventResult()).toBe(3);
    expect(sent.event_started_at).not.toBeNull();
    expect(Date.parse(sent.event_completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(sent.event_started_at ?? ''));
  });

  test('result - the event started when its first handler did', async () => {
    const { bus, seen, release } = subject();
    const dispatch = bus.dispatch(new Hold({ key: 'started' }));
    await seen('started').opened;
    const begun = Date.now();
    while (Date.now() < begun + 5) await nextTurn();
    release('started').open();
    const event = await dispatch;
    const starts = [...event.event_results.values()].map(({ started_at }) => started_at ?? '');
    expect(event.event_started_at).toBe(starts.sort()[0]);
    expect(Date.parse(event.event_started_at ?? '')).toBeLessThanOrEqual(begun);
  });

  test('result - a dispatch with an option that does not exist is refused', async () => {
    const { bus } = subject();
    const sent = new Add({ a: 1, b: 2 });
    expect(() => bus.dispatch(sent, { detatched: true } as never)).toThrow("'detatched'");
    expect(await bus.dispatch(sent).eventResult()).toBe(3);
  });

  test('result - each handler has one, under the name and id of the bus that ran it', async () => {
    const { bus, path } = subject();
    const event = await bus.dispatch(new Facts({}));
    const results = [...event.event_results.values()].filter(({ handler_name }) => !handler_name.includes('.dispatch'));
    expect(results.map(({ handler_name }) => handler_name)).toEqual(['first', 'second', 'list', 'nothing']);
    expect(results.map(({ eventbus_name }) => eventbus_name)).toEqual(Array(4).fill(path.at(-1)));
    expect(new Set(results.map(({ eventbus_id }) => eventbus_id)).size).toBe(1);
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('completed'));
    expect([...event.event_results.keys()]).toEqual([...event.event_results.values()].map((r) => r.handler_id));
    for (const result of results) {
      expect(result.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(result.timeout).toBe(60);
      expect(Date.parse(result.completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(result.started_at ?? ''));
      expect(await result).toEqual(result.result);
    }
  });

  test('result - the handler ids of two events are the same', async () => {
    const { bus } = subject();
    const [one, two] = await Promise.all([bus.dispatch(new Facts({})), bus.dispatch(new Facts({}))]);
    expect([...one.event_results.keys()]).toEqual([...two.event_results.keys()]);
  });

  test('result - the helpers put results together', async () => {
    const { bus } = subject();
    const sent = bus.dispatch(new Facts({}));
    expect(await sent.eventResult()).toEqual({ colour: 'red', size: 1 });
    expect(await sent.eventResultsList()).toEqual([{ colour: 'red', size: 1 }, { weight: 3 }, [1, 2]]);
    expect(await sent.eventResultsFlatList()).toEqual([1, 2]);
    expect(await sent.eventResultsFlatDict()).toEqual({ colour: 'red', size: 1, weight: 3 });
    expect(await sent.eventResultsByHandlerName()).toEqual({
      first: { colour: 'red', size: 1 },
      second: { weight: 3 },
      list: [1, 2],
    });
    const byId = await sent.eventResultsByHandlerId();
    const filtered = await sent.eventResultsFiltered({ include: ({ handler_name }) => handler_name === 'second' });
    expect([...filtered.values()].map(({ handler_id }) => byId[handler_id])).toEqual([{ weight: 3 }]);
  });

  test('result - the helpers refuse conflicts and the absence of results', async () => {
    const { bus } = subject();
    const clash = await rejection(bus.dispatch(new Facts({ conflict: true })).eventResultsFlatDict());
    expect(isResultConflictError(clash)).toBe(true);
    const none = await rejection(bus.dispatch(new Note({ key: 'none', value: 1 })).eventResult());
    expect(isNoResultError(none)).toBe(true);
  });

  test('result - a value that is not of the result type is an error of the handler', async () => {
    const error = await rejection(
      subject()
        .bus.dispatch(new Add({ a: -1, b: 2 }))
        .eventResult(),
    );
    expect(isResultValidationError(error) && isBusError(error)).toBe(true);
    expect(error.message).toContain('event_result_type');
  });

  test('result - falsy values count', async () => {
    const { bus } = subject();
    for (const value of [0, '', false]) expect(await bus.dispatch(new Echo({ value })).eventResult()).toBe(value);
  });

  test('result - an event without handlers completes without results', async () => {
    const { bus } = subject();
    const event = await bus.dispatch(new Local({ n: 1 }));
    expect(event.event_status).toBe('completed');
    expect(await bus.dispatch(new Local({ n: 2 })).eventResultsList({ raiseIfNone: false })).toEqual([]);
  });

  test('order - events are handled in the order of their dispatch', async () => {
    const { bus } = subject();
    const values = Array.from({ length: 500 }, (_, i) => i);
    for (const value of values) bus.dispatch(new Note({ key: 'order', value }));
    expect(await bus.dispatch(new Noted({ key: 'order' })).eventResult()).toEqual(values);
  });

  test('order - an event that was dispatched twice is handled once', async () => {
    const { bus } = subject();
    const sent = new Note({ key: 'twice', value: 1 });
    const first = bus.dispatch(sent);
    expect(await bus.dispatch(sent)).toBe(sent);
    await first;
    expect(await bus.dispatch(new Noted({ key: 'twice' })).eventResult()).toEqual([1]);
  });
}
