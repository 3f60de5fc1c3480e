import { BaseEvent } from '@threadbus/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

/** Somebody sets the clock by so many hours. */
function setClock(hours: number): void {
  const real = Date.now;
  Date.now = () => real() + hours * 3_600_000;
  onTestFinished(() => {
    Date.now = real;
  });
}

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 60 });
}

test.for([-1, 1])(
  'remote expectations - what was under way before is none, though the clock is set by %i h',
  async (hours) => {
    const { there, down } = await linkPair();
    const over = gate();
    there.on('Any', () => over.opened);
    const before = there.dispatch(event('Any'));
    await sleep(50);
    setClock(hours);
    expect((await rejection(down.expect('Any', { timeout: 0.05 }))).name).toBe('TimeoutError');
    over.open();
    await before;
  },
);

test.for([-1, 1])(
  'remote expectations - none is missed that is made meanwhile, though the clock is set by %i h',
  async (hours) => {
    const { there, down } = await linkPair();
    const over = gate();
    there.on('Any', () => over.opened);
    const expected = down.expect('Any');
    setClock(hours);
    const made = there.dispatch(event('Any'));
    expect((await expected).event_id).toBe(made.event.event_id);
    over.open();
    await made;
  },
);
