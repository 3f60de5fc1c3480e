import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { afterEach, expect, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const real = Date.now;
const hour = 3_600_000;
const block = (seconds: number, timeout: number): BaseEvent =>
  new BaseEvent({ seconds }, { event_type: 'Block', event_timeout: timeout });
const setClock = (by: number): BaseEvent => new BaseEvent({ by }, { event_type: 'SetClock' });

afterEach(() => {
  Date.now = real;
});

for (const by of [hour, -hour]) {
  test(`clock - set by ${by / 1000} s on this side: a healthy handler works on, a runaway is ended`, async () => {
    const bus = await startBus('clock-bus');
    const sent = bus.dispatch(block(1.5, 60)).eventResult();
    Date.now = () => real() + by;
    expect(await sent).toBe('worked');
    const runaway = bus.dispatch(block(60, 0.5)).eventResult();
    expect(isHandlerTimeoutError(await rejection(runaway))).toBe(true);
  });

  test(`clock - set by ${by / 1000} s over there: the same`, async () => {
    const bus = await startBus('clock-bus');
    await bus.dispatch(setClock(by));
    expect(await bus.dispatch(block(1.5, 60)).eventResult()).toBe('worked');
    const runaway = bus.dispatch(block(60, 0.5)).eventResult();
    expect(isHandlerTimeoutError(await rejection(runaway))).toBe(true);
  });
}
