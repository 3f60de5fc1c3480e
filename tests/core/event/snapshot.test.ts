import { BaseEvent as AbxEvent, EventBus as AbxBus } from 'abxbus';
import { BaseEvent, isUnserializableError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Job = BaseEvent.extend('Job', { data: z.unknown() }, { version: '2.0.0' });
const Child = BaseEvent.extend('Child', {});

async function done(data: unknown = new Map([[1, 2n]])): Promise<BaseEvent> {
  const bus = quietBus({ name: 'Snapshots' });
  bus.on(Job, async function works() {
    await bus.dispatch(new Child({}));
    return new Set(['a']);
  });
  bus.on(Job, function fails() {
    throw Object.assign(new TypeError('no'), { code: 'ERR_NO' });
  });
  const event = await bus.dispatch(new Job({ data }));
  await bus.stop();
  return event;
}

function jsonOf(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}

test('snapshot - has everything as plain JSON, and is read back whole', async () => {
  const event = await done();
  const snapshot = event.eventSnapshot();
  const json = jsonOf(snapshot);
  expect(json).toEqual(snapshot);
  const [works, fails] = [...event.event_results.values()];
  expect(snapshot).toMatchObject({
    event_type: 'Job',
    event_status: 'completed',
    event_outcome: 'failed',
    event_started_at: event.event_started_at,
    event_completed_at: event.event_completed_at,
    event_children: event.event_children.map(({ event_id }) => event_id),
    event_results: [
      { id: works?.id, handler_name: 'works', status: 'completed', pid: process.pid, error: null },
      {
        handler_id: fails?.handler_id,
        eventbus_name: 'Snapshots',
        status: 'error',
        result: null,
        error: { name: 'TypeError', message: 'no', code: 'ERR_NO' },
      },
    ],
  });
  const restored = BaseEvent.fromJSON(JSON.stringify(snapshot));
  expect([restored.event_status, restored.event_outcome]).toEqual(['completed', 'failed']);
  expect((restored as unknown as { data: unknown }).data).toEqual(new Map([[1, 2n]]));
  const results = [...restored.event_results.values()];
  expect(results.map(({ result }) => result)).toEqual([new Set(['a']), null]);
  expect(results[1]?.error).toMatchObject({ name: 'TypeError', message: 'no', code: 'ERR_NO' });
  expect(results[0]?.thread_id).toBe(works?.thread_id);
  expect(jsonOf(restored.eventSnapshot())).toEqual(json);
});

test('snapshot - of an event that has begun is one that has begun; of a pending one it can be dispatched', async () => {
  const bus = quietBus();
  const begun = gate();
  bus.on(Job, () => {
    begun.open();
    return new Promise(() => undefined);
  });
  const { event } = bus.dispatch(new Job({ data: 1 }));
  await begun.opened;
  expect(BaseEvent.fromJSON(event.eventSnapshot()).event_status).toBe('started');
  const fresh = Job.fromJSON(jsonOf(new Job({ data: 2 }).eventSnapshot()));
  expect(fresh.event_status).toBe('pending');
  const other = quietBus();
  other.on(Job, ({ data }) => data);
  expect(await other.dispatch(fresh).eventResult()).toBe(2);
});

test('snapshot - what can’t be written is named with its path', async () => {
  const error = thrown(() => new Job({ data: { save: () => 1 } }).eventSnapshot());
  expect(isUnserializableError(error) && error.path).toBe('data.save');
  expect(thrown(() => new Job({ data: 1 }).eventSnapshot({ for: 'kafka' as never })).message).toContain("'abxbus' or");
  expect(thrown(() => new Job({ data: 1 }).eventSnapshot({ fro: 'bubus' } as object)).message).toContain('no option');
});

test('snapshot - abxbus loads the document that is for it, with version, status, times and results', async () => {
  const event = await done({ text: 'plain' });
  const loaded = AbxEvent.fromJSON(jsonOf(event.eventSnapshot({ for: 'abxbus' }))) as unknown as Record<
    string,
    unknown
  >;
  expect(loaded).toMatchObject({
    event_id: event.event_id,
    event_type: 'Job',
    event_version: '2.0.0',
    event_status: 'completed',
    data: { text: 'plain' },
  });
  const results = loaded['event_results'] as Map<string, { status: string }>;
  expect([...results.values()].map(({ status }) => status)).toEqual(['completed', 'error']);
});

test('snapshot - abxbus’s own documents are read without loss, and written again as they were', async () => {
  const Created = AbxEvent.extend('UserCreated', {});
  const bus = new AbxBus('Agent_8000-4b74');
  bus.on(Created, function answers() {
    return { ok: 1 };
  });
  const sent = bus.emit(
    (Created as unknown as (payload: object) => never)({ name: 'a', event_concurrency: 'parallel' }),
  );
  await (bus as unknown as { waitUntilIdle(): Promise<unknown> }).waitUntilIdle();
  const document = jsonOf((sent as { toJSON(): object }).toJSON());
  const event = BaseEvent.fromJSON(document);
  expect([event.event_schema, event.event_status]).toEqual(['UserCreated@0.0.1', 'completed']);
  expect([...event.event_results.values()].map(({ result }) => result)).toEqual([{ ok: 1 }]);
  expect(event.event_path).toEqual(document['event_path']);
  expect(jsonOf(event.eventSnapshot({ for: 'abxbus' }))).toEqual(document);
});

test('snapshot - bubus’s documents are read: schema with its module, no limit as 0, unknown fields kept', async () => {
  const document = {
    event_type: 'UserLogin',
    event_schema: 'app.events.UserLogin@0.3.1',
    event_timeout: 0,
    event_id: '0190b3a0-0000-7000-8000-000000000001',
    event_path: ['Auth_1a2b3c4d'],
    event_parent_id: null,
    event_created_at: '2026-01-01T00:00:00.123456Z',
    event_processed_at: '2026-01-01T00:00:01Z',
    event_result_type: 'str',
    username: 'alice',
  };
  const event = BaseEvent.fromJSON(JSON.stringify(document));
  expect(event).toMatchObject({ event_timeout: null, event_schema: 'app.events.UserLogin@0.3.1', username: 'alice' });
  expect(event.toJSON()).toMatchObject({ ...document, event_timeout: null });
  const written = (await done('x')).eventSnapshot({ for: 'bubus' });
  expect(Object.values(written['event_results'] as object)).toMatchObject([
    { error: null },
    { error: 'TypeError: no' },
  ]);
});

test('snapshot - who waits for one that was completed gets what it had at once: results, errors, the event', async () => {
  const event = await done();
  const restored = BaseEvent.fromJSON(jsonOf(event.eventSnapshot()));
  expect(await restored.eventCompleted({ timeout: 0 })).toBe(restored);
  const [error] = await restored.eventErrors();
  expect(error).toBeInstanceOf(TypeError);
  expect(error).toMatchObject({ name: 'TypeError', message: 'no', code: 'ERR_NO' });
  await expect(restored.eventResult()).rejects.toBe(error);
  expect(await restored.eventResult({ raiseIfAny: false })).toEqual(new Set(['a']));
  const pending = BaseEvent.fromJSON(jsonOf(new Job({ data: 1 }).eventSnapshot()));
  await expect(pending.eventCompleted()).rejects.toThrow('never dispatched');
});

test('snapshot - a field of an error whose getter throws is left out, and costs nothing else', async () => {
  const bus = quietBus();
  for (const field of ['stack', 'code']) {
    bus.on(Job, () => {
      const options = {
        get: () => {
          throw new Error('not to be read');
        },
      };
      throw Object.defineProperty(Object.assign(new RangeError('odd'), { code: 'ERR_ODD' }), field, options);
    });
  }
  const event = await bus.dispatch(new Job({ data: 1 }));
  await bus.stop();
  const { event_results: results } = event.eventSnapshot() as { event_results: { error: object }[] };
  expect(results.map(({ error }) => error)).toMatchObject([
    { name: 'RangeError', message: 'odd', code: 'ERR_ODD' },
    { name: 'RangeError', message: 'odd' },
  ]);
  expect(results.map(({ error }) => Object.keys(error))).toEqual([
    ['name', 'message', 'code'],
    ['name', 'message', 'stack'],
  ]);
  for (const reader of ['abxbus', 'bubus'] as const) {
    expect(JSON.stringify(event.eventSnapshot({ for: reader }))).toContain('odd');
  }
});
