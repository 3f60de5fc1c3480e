import { BaseEvent, EventBus } from '@threadbus/core';
import * as abx from 'abxbus';
import Emittery from 'emittery';
import { EventEmitter } from 'eventemitter3';
import { EventEmitter as NodeEmitter } from 'node:events';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant } from './scenario.ts';

const Numbered = BaseEvent.extend('Numbered', { n: z.number() });
const Theirs = abx.BaseEvent.extend('Numbered', { n: z.number() });

/** How a bus with these handlers is made: returns what sends an event and resolves when it is done. */
type Start = (handlers: readonly (() => void | Promise<void>)[], any: readonly (() => void)[]) => Started;
interface Started {
  send(n: number): unknown;
  stop?(): Promise<unknown>;
}

const threadbus: Start = (handlers, any) => {
  const bus = new EventBus();
  for (const handler of handlers) bus.on(Numbered, handler);
  for (const handler of any) bus.on('*', handler);
  return { send: (n) => bus.dispatch(new Numbered({ n })), stop: async () => bus.stop({ clear: true }) };
};

const emittery: Start = (handlers, any) => {
  const emitter = new Emittery<{ numbered: { n: number } }>();
  for (const handler of handlers) emitter.on('numbered', handler);
  for (const handler of any) emitter.onAny(handler);
  return { send: async (n) => emitter.emit('numbered', { n }) };
};

/** The floor: no promise, no order, no result. */
const eventemitter3: Start = (handlers) => {
  const emitter = new EventEmitter<{ numbered: [{ n: number }] }>();
  for (const handler of handlers) emitter.on('numbered', () => void handler());
  return { send: (n) => emitter.emit('numbered', { n }) };
};

const abxbus: Start = (handlers, any) => {
  const bus = new abx.EventBus('Awaited', { max_history_size: 50, max_history_drop: true });
  for (const handler of handlers) bus.on(Theirs, handler);
  for (const handler of any) bus.on('*', handler);
  return { send: (n) => bus.emit(Theirs({ n })).wait(), stop: async () => bus.destroy() };
};

/** One event after another, each awaited. */
function inTurn(start: Start, kind: 'sync' | 'async', count: number, anyCount: number): Contestant {
  return async (events, measure) => {
    let handled = 0;
    const handler = (): (() => void | Promise<void>) =>
      kind === 'sync'
        ? () => void (handled += 1)
        : async () => {
            await Promise.resolve();
            handled += 1;
          };
    const handlers = Array.from({ length: count }, handler);
    const any = Array.from({ length: anyCount }, () => () => void (handled += 1));
    const bus = start(handlers, any);
    await measure(async () => {
      for (let n = 0; n < events; n += 1) await bus.send(n);
    });
    check(handled, events * (count + anyCount));
    await bus.stop?.();
  };
}

/** What the README advises for one request: a bus of its own, one handler, one event that is awaited, and the end. */
function forOneRequest(start: Start): Contestant {
  return async (requests, measure) => {
    let handled = 0;
    const handlers = [(): void => void (handled += 1)];
    await measure(async () => {
      for (let n = 0; n < requests; n += 1) {
        const bus = start(handlers, []);
        await bus.send(n);
        await bus.stop?.();
      }
    });
    check(handled, requests);
  };
}

/** The floor: an emitter of Node's own, one listener, one call. */
const nodeEmitter: Start = (handlers) => {
  const emitter = new NodeEmitter();
  for (const handler of handlers) emitter.on('numbered', () => void handler());
  return { send: (n) => emitter.emit('numbered', { n }) };
};

// What is compiled anew for its third or fourth 30,000 events is at its speed after that, ours and the peers' alike.
const shared = { unit: 'µs per event', ratio: '× as fast', size: 30_000, quick: 2_000, rounds: 7, warmUps: 4 } as const;

/** Events that are sent and awaited one after another, beside emitters. */
export const awaited = contest('awaited', [
  {
    ...shared,
    name: '1 sync handler',
    contestants: {
      threadbus: inTurn(threadbus, 'sync', 1, 0),
      emittery: inTurn(emittery, 'sync', 1, 0),
      eventemitter3: inTurn(eventemitter3, 'sync', 1, 0),
      abxbus: inTurn(abxbus, 'sync', 1, 0),
    },
  },
  {
    ...shared,
    name: '1 async handler',
    contestants: { threadbus: inTurn(threadbus, 'async', 1, 0), emittery: inTurn(emittery, 'async', 1, 0) },
  },
  {
    ...shared,
    name: "3 handlers and '*'",
    contestants: { threadbus: inTurn(threadbus, 'sync', 3, 1), emittery: inTurn(emittery, 'sync', 3, 1) },
  },
  {
    ...shared,
    name: 'a bus for one request',
    unit: 'µs per request',
    size: 20_000,
    contestants: {
      threadbus: forOneRequest(threadbus),
      abxbus: forOneRequest(abxbus),
      EventEmitter: forOneRequest(nodeEmitter),
    },
  },
]);
