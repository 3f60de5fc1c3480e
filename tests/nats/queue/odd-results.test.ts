import { BaseEvent, EventBus, isUnserializableError } from '@threadbus/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Odd = BaseEvent.extend('Odd', { what: z.string(), more: z.string().optional() }, { idempotent: true });
type OddEvent = InstanceType<typeof Odd>;

/** Shows another thing each time that it is looked at. */
function fickle(): object {
  let looks = 0;
  return {
    get value() {
      looks += 1;
      if (looks % 2 === 1) throw new Error('not this time');
      return looks;
    },
  };
}

const succeeding: Record<string, (event: OddEvent) => unknown> = {
  'a result that throws each second time that it is read': fickle,
  'an event that its handler has made unwritable': (event) => {
    const field = { toJSON: () => field, field: {} };
    field.field = field;
    (event as { more?: unknown }).more = field;
    return 1;
  },
  'a result that is too large': () => Buffer.alloc(3_000_000),
  'a function as result': () => () => 1,
};

const failing: Record<string, () => unknown> = {
  'an error whose text is too large': () => {
    throw new RangeError('too much '.repeat(300_000));
  },
  'an error with a field that is too large': () => {
    throw Object.assign(new RangeError('too much '), { body: Buffer.alloc(3_000_000) });
  },
};

describe.skipIf(!hasServer)('odd results', () => {
  const server = sharedServer();

  async function setting() {
    const net = await connected({ servers: server().url, namespace: newNamespace() });
    const jobs = await net.queue('odd', { events: [Odd], maxDeliver: 2, backoff: [], ackWait: 1 });
    const ignore = (): void => undefined;
    const bus = new EventBus({
      maxPending: null,
      logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    });
    onTestFinished(() => bus.stop());
    let runs = 0;
    bus.on(Odd, (event) => {
      runs += 1;
      return { ...succeeding, ...failing }[event.what]?.(event);
    });
    jobs.work(bus);
    return { jobs, runs: () => runs };
  }

  test.each(Object.keys(succeeding))('queue - %s: it has run, once, and its end is known', async (what) => {
    const { jobs, runs } = await setting();
    const event = await (await jobs.enqueue(new Odd({ what }))).completed({ timeout: 10 });
    await expect.poll(() => jobs.stats()).toEqual({ waiting: 0, running: 0, dead: 0 });
    expect(runs()).toBe(1);
    const [result] = event.event_results.values();
    expect(result?.error === null || isUnserializableError(result?.error)).toBe(true);
  });

  test.each(Object.keys(failing))('queue - %s: the dead letter bears its beginning', async (what) => {
    const { jobs, runs } = await setting();
    const event = await (await jobs.enqueue(new Odd({ what }))).completed({ timeout: 10 });
    expect(event.event_outcome).toBe('failed');
    await expect.poll(() => jobs.stats()).toEqual({ waiting: 0, running: 0, dead: 1 });
    expect(runs()).toBe(2);
    for await (const dead of jobs.deadLetters()) {
      expect(dead.error.message).toContain('too much ');
      expect(dead.error.message.length).toBeLessThan(1000);
      expect(dead.event.what).toBe(what);
    }
  });

  test('queue - a payload that fills a message is a dead letter with its error, too', async () => {
    const { jobs } = await setting();
    const what = 'an error whose text is too large';
    const { length } = JSON.stringify(new Odd({ what, more: '' }));
    const receipt = await jobs.enqueue(new Odd({ what, more: 'x'.repeat(1_048_576 - 4096 - length) }));
    expect((await receipt.completed({ timeout: 10 })).event_outcome).toBe('failed');
    for await (const dead of jobs.deadLetters()) expect(dead.error.message).toContain('too much ');
    await expect.poll(() => jobs.stats()).toEqual({ waiting: 0, running: 0, dead: 1 });
  });
});
