import { BaseEvent, type EventPattern, type Subscription } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linkPair } from '../link-pair.ts';

const Ping = BaseEvent.extend('Ping', {});

/** What a bus does for somebody who registers handlers, near or far. */
interface Registering {
  on(pattern: EventPattern, handler: (event: BaseEvent) => unknown, options?: { once?: boolean }): Subscription;
  off(pattern: EventPattern, handler?: (event: BaseEvent) => unknown): void;
}

/** Registers with `on` and says how often each of the events runs a handler. */
async function ranOn(
  bus: Registering,
  dispatch: () => Promise<unknown>,
  steps: (bus: Registering, count: () => void, ran: () => Promise<void>) => Promise<void>,
): Promise<number[]> {
  const runs: number[] = [];
  let calls = 0;
  await steps(
    bus,
    () => {
      calls += 1;
    },
    async () => {
      calls = 0;
      await dispatch();
      runs.push(calls);
    },
  );
  return runs;
}

const programs: Record<
  string,
  readonly [number[], (bus: Registering, count: () => void, ran: () => Promise<void>) => Promise<void>]
> = {
  'under a type and for all': [
    [1, 1, 0],
    async (bus, count, ran) => {
      const typed = bus.on(Ping, count);
      const all = bus.on('*', count);
      await ran();
      typed();
      await ran();
      all();
      await ran();
    },
  ],
  'the one for all taken off first': [
    [1, 1, 0],
    async (bus, count, ran) => {
      bus.on('*', count);
      bus.on('Ping', count);
      await ran();
      bus.off('*', count);
      await ran();
      bus.off('Ping', count);
      await ran();
    },
  ],
  'once under a type': [
    [1, 1, 1],
    async (bus, count, ran) => {
      bus.on(Ping, count, { once: true });
      bus.on('*', count);
      await ran();
      await ran();
      await ran();
    },
  ],
  'twice under one type, registered again later': [
    [1, 1],
    async (bus, count, ran) => {
      const first = bus.on('Ping', count);
      bus.on('Ping', count);
      await ran();
      first();
      bus.on('*', count);
      await ran();
    },
  ],
  'two functions of one name': [
    [2],
    async (bus, count, ran) => {
      bus.on('Ping', function named() {
        count();
      });
      bus.on('*', function named() {
        count();
      });
      await ran();
    },
  ],
};

test.for(Object.entries(programs))(
  'same function - %s: as on a bus of the same thread',
  async ([, [wanted, steps]]) => {
    const near = quietBus();
    expect(await ranOn(near, async () => near.dispatch(new Ping({})), steps)).toEqual(wanted);
    const { down } = await linkPair();
    expect(await ranOn(down, async () => down.dispatch(new Ping({})), steps)).toEqual(wanted);
  },
);
