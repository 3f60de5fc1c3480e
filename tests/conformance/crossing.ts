import { isUnserializableError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Echo, Look, requestId, secret, Unclonable } from '../fixtures/worker/conformance-events.ts';
import { rejection } from '../helpers/gate.ts';
import type { Subject } from './subject.ts';

/** What payloads, results and contexts look like on the other side. */
export function crossingTests(subject: () => Subject): void {
  const echo = (value: unknown): Promise<unknown> => subject().bus.dispatch(new Echo({ value })).eventResult();

  test('value - what structured clone takes survives there and back', async () => {
    const value = {
      date: new Date(7),
      map: new Map<unknown, unknown>([[{ key: 1 }, new Set([1, 'two'])]]),
      bytes: new Uint8Array([1, 2, 3]),
      floats: new Float64Array([0.5, -0]),
      big: 2n ** 70n,
      nothing: undefined,
      pattern: /a+/gi,
      nan: NaN,
      list: [1, [2, [3]]],
      text: 'é😀\u0000',
    };
    expect(await echo(value)).toEqual(value);
  });

  test('value - one that refers to itself survives', async () => {
    const value: { name: string; self?: unknown } = { name: 'loop' };
    value.self = value;
    const returned = (await echo(value)) as typeof value;
    expect(returned.self).toBe(returned);
  });

  test('value - a handler sees the id, time and options of the event, whoever gave them and whenever they are read', async () => {
    const given = { event_timeout: 7, event_schema: 'Look@3' };
    const event_id = '0190a0a0-0000-7000-8000-0123456789ab';
    const events = [
      ...Array.from({ length: 100 }, () => new Look({}, given)),
      new Look({}, { ...given, event_id }),
      new Look({}, { ...given, event_created_at: '1999-12-31T23:59:59.999Z' }),
    ];
    const readBefore = events.slice(0, 50).map((event) => event.event_id);
    const looks = await Promise.all(events.map(async (event) => subject().bus.dispatch(event).eventResult()));
    for (const [i, event] of events.entries()) {
      const { event_id: id, event_created_at: createdAt } = event;
      expect(looks[i]).toMatchObject({ id, createdAt, timeout: 7, schema: 'Look@3' });
    }
    expect(events.slice(0, 50).map((event) => event.event_id)).toEqual(readBefore);
    expect(new Set(events.map((event) => event.event_id)).size).toBe(102);
  });

  test('value - a payload that cannot be cloned names its field; its neighbours are unharmed', async () => {
    const { bus, crosses } = subject();
    const bad = (): unknown => ({ opts: [{ ok: 1 }, { cb: function callback() {} }] });
    const sent = [1, bad(), 3, bad(), 5].map((value) => bus.dispatch(new Echo({ value })));
    const settled = await Promise.allSettled(sent.map((dispatch) => dispatch.eventResult()));
    expect(settled.map(({ status }) => status === 'fulfilled')).toEqual(
      crosses ? [true, false, true, false, true] : Array(5).fill(true),
    );
    if (!crosses) return;
    const { reason } = settled[1] as { reason: Error };
    expect(isUnserializableError(reason)).toBe(true);
    expect(reason.message).toContain('field "value.opts[1].cb" (function callback)');
  });

  test('value - a result that cannot be cloned names its field; its neighbours are unharmed', async () => {
    const { bus, crosses } = subject();
    const before = bus.dispatch(new Echo({ value: 'before' }));
    const bad = bus.dispatch(new Unclonable({}));
    const after = bus.dispatch(new Echo({ value: 'after' }));
    expect(await before.eventResult()).toBe('before');
    expect(await after.eventResult()).toBe('after');
    if (!crosses) return;
    const error = await rejection(bad.eventResult());
    expect(isUnserializableError(error)).toBe(true);
    expect(error.message).toContain('"result.list[1].cb" (function callback)');
  });

  test('transfer - a buffer arrives, and is gone on this side where it crossed a thread', async () => {
    const { bus, crosses } = subject();
    const { buffer } = new Uint8Array([1, 2, 3]);
    const sent = bus.dispatch(new Echo({ value: { buffer } }), { transfer: [buffer] });
    const { buffer: returned } = (await sent.eventResult()) as { buffer: ArrayBuffer };
    expect([...new Uint8Array(returned)]).toEqual([1, 2, 3]);
    expect(buffer.byteLength).toBe(crosses ? 0 : 3);
  });

  test('transfer - a buffer that is gone already fails its own event alone', async () => {
    const { bus, crosses } = subject();
    if (!crosses) return;
    const { buffer } = new Uint8Array([1, 2, 3]);
    const first = bus.dispatch(new Echo({ value: { buffer } }), { transfer: [buffer] });
    expect(await first.eventResult()).toEqual({ buffer: new Uint8Array([1, 2, 3]).buffer });
    const second = bus.dispatch(new Echo({ value: { buffer } }), { transfer: [buffer] });
    const third = bus.dispatch(new Echo({ value: 3 }));
    const error = await rejection(second.eventResult());
    expect(isUnserializableError(error)).toBe(true);
    expect(error.message).toContain('value.buffer');
    expect(await third.eventResult()).toBe(3);
  });

  test('class - handlers get an instance of their own class', async () => {
    expect(await subject().bus.dispatch(new Look({})).eventResult()).toMatchObject({ isLook: true });
  });

  test('context - portable values travel with each event, other stores do not cross', async () => {
    const { bus, crosses } = subject();
    const look = (): Promise<unknown> => bus.dispatch(new Look({})).eventResult();
    const [one, two, none] = await Promise.all([
      secret.run('mine', () => requestId.run('one', look)),
      requestId.run('two', look),
      look(),
    ]);
    expect(one).toMatchObject({ requestId: 'one', secret: crosses ? null : 'mine' });
    expect(two).toMatchObject({ requestId: 'two', secret: null });
    expect(none).toMatchObject({ requestId: null, secret: null });
  });

  test('context - code after an await, and handlers of this side, are in their own dispatcher’s', async () => {
    const { bus } = subject();
    const seen: unknown[] = [];
    using _subscription = bus.on(Echo, () => {
      seen.push(requestId.getStore());
    });
    await requestId.run('caller', async () => {
      await bus.dispatch(new Echo({ value: 1 }));
      seen.push(requestId.getStore());
    });
    expect(seen).toEqual(['caller', 'caller']);
  });
}
