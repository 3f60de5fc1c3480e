import { BaseEvent, EventBus, isEventValidationError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { thrown } from '../../helpers/thrown.ts';

class Upload extends BaseEvent.extend(
  'Upload',
  { file: z.string(), size: z.number() },
  { result: z.string(), timeout: 9 },
) {}

test('json - holds the fields of the framework and the payload, neither results nor status', async () => {
  await using bus = new EventBus({ name: 'JsonBus' });
  bus.on(Upload, () => 'stored');
  const event = await bus.dispatch(new Upload({ file: 'a', size: 1, tag: 'x' } as { file: string; size: number }));
  expect(Object.keys(event.toJSON()).sort()).toEqual([
    'event_created_at',
    'event_id',
    'event_parent_id',
    'event_path',
    'event_schema',
    'event_timeout',
    'event_type',
    'file',
    'size',
    'tag',
  ]);
  expect(event.toJSON()).toMatchObject({ event_path: ['JsonBus'], event_timeout: 9, event_parent_id: null });
  expect(JSON.stringify(event)).not.toContain('stored');
});

test('json - a round trip keeps everything and gives an instance of the class', () => {
  const parent = '0190a0b0-0000-7000-8000-00000000abcd';
  const event = new Upload(
    { file: 'ü\n\u2028"', size: 0.1, extra: { deep: [null, true] } } as { file: string; size: number },
    { event_parent_id: parent, event_path: ['A', 'B'], event_timeout: 1.5 },
  );
  for (const form of [event.toJSON(), JSON.stringify(event), JSON.parse(JSON.stringify(event)) as unknown]) {
    const restored = Upload.fromJSON(form);
    expect(restored).toBeInstanceOf(Upload);
    expect(restored.toJSON()).toEqual(event.toJSON());
  }
  expect(JSON.stringify(event)).not.toContain('\n');
});

test('json - a restored event is pending and has no times', () => {
  const restored = Upload.fromJSON(JSON.stringify(new Upload({ file: 'a', size: 1 })));
  expect(restored.event_status).toBe('pending');
  expect(restored.event_started_at).toBeNull();
  expect(restored.event_completed_at).toBeNull();
  expect(restored.event_results.size).toBe(0);
});

test('json - a restored event can be dispatched and its results are still checked', async () => {
  await using bus = new EventBus();
  bus.on(Upload, ({ size }) => (size === 1 ? 'ok' : (5 as never)));
  const good = Upload.fromJSON(new Upload({ file: 'a', size: 1 }).toJSON());
  const bad = Upload.fromJSON(new Upload({ file: 'a', size: 2 }).toJSON());
  expect(await bus.dispatch(good).eventResult()).toBe('ok');
  await expect(bus.dispatch(bad).eventResult()).rejects.toThrow('did not match expected event_result_type');
});

test('json - an unknown type becomes a plain event that handlers of the type and * match', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on('Mystery', (event) => void seen.push(`Mystery ${String(event['n'])}`));
  bus.on('*', (event) => void seen.push(`* ${event.event_type}`));
  const event = BaseEvent.fromJSON({ event_type: 'Mystery', event_id: '0190a0b0-0000-7000-8000-00000000abcd', n: 3 });
  expect(event).toBeInstanceOf(BaseEvent);
  expect(event.event_timeout).toBe(60);
  await bus.dispatch(event);
  expect(seen).toEqual(['Mystery 3', '* Mystery']);
});

test('json - lines that bubus has written can be read', () => {
  const line =
    '{"event_type": "FirstEventXyz", "event_schema": "app.FirstEventXyz@0.0.1", "event_timeout": 300.0, "event_result_type": null, "event_id": "0198a7b9-1bbb-7a1a-8a52-2a4e4a1c7d10", "event_path": ["MyBus"], "event_parent_id": null, "event_created_at": "2025-07-10T20:39:56.462000+00:00", "event_processed_at": null, "some_key": "some_val"}';
  const event = BaseEvent.fromJSON(line);
  expect(event.event_type).toBe('FirstEventXyz');
  expect(event.event_created_at).toBe('2025-07-10T20:39:56.462Z');
  expect(event.toJSON()['some_key']).toBe('some_val');
});

test.each([
  ['{"event_type":"Upload"', 'Upload: expected the JSON of an event; the string "{\\"event_type\\"'],
  ['[]', 'Upload: expected the JSON of an event to be an object or its text; got an array.'],
  ['null', 'got null'],
  [5, 'got 5 (number)'],
  [undefined, 'got undefined'],
  ['{"event_type":"Upload","file":"a"}', 'Upload: the payload is not valid: size: '],
  ['{"event_type":"Download","file":"a","size":1}', "expected event_type to be 'Upload'"],
  ['{"event_type":"Upload","file":"a","size":1,"event_id":"x"}', 'expected event_id to be a UUID'],
  ['{"event_type":"Upload","file":"a","size":1,"event_timeout":"x"}', 'a number or null; got the string "x"'],
  ['{"event_type":"Upload","file":"a","size":1,"then":2}', "can't have a field called 'then'"],
])('json - %j is refused', (json, text) => {
  const error = thrown(() => Upload.fromJSON(json));
  expect(isEventValidationError(error)).toBe(true);
  expect(error.message).toContain(text);
});

test('json - a document nested too deep is refused, not a crash', () => {
  const deep = `{"event_type":"Deep","data":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
  const error = thrown(() => BaseEvent.fromJSON(deep));
  expect(isEventValidationError(error)).toBe(true);
  expect(error.message).toContain('nested too deep');
});

test('json - toJSON tags what JSON has no words for, and names what it can’t write; processing isn’t disturbed', async () => {
  await using bus = new EventBus();
  const Blob = BaseEvent.extend('Blob', { data: z.any() });
  bus.on(Blob, () => 'fine');
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  for (const data of [1n, new Map([[1, new Set(['a'])]]), new Date(5), new Uint8Array([1, 2]), NaN, [undefined]]) {
    const event = new Blob({ data });
    expect(await bus.dispatch(event).eventResult()).toBe('fine');
    expect((BaseEvent.fromJSON(JSON.stringify(event)) as unknown as { data: unknown }).data).toEqual(data);
  }
  for (const data of [{ deep: [loop] }, { deep: [() => 1] }]) {
    const event = new Blob({ data });
    expect(await bus.dispatch(event).eventResult()).toBe('fine');
    expect(() => JSON.stringify(event)).toThrow('Field data.deep[0]');
  }
});

test('json - prototypes can not be polluted', () => {
  const text = '{"event_type":"P","data":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}';
  const event = BaseEvent.fromJSON(text);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
  expect(JSON.stringify(event)).toContain('"__proto__":{"polluted":1}');
  expect(() => BaseEvent.fromJSON('{"event_type":"P","__proto__":{"polluted":1}}')).toThrow("called '__proto__'");
  const tagged = '{"event_type":"P","data":{"$threadbus":"Object","value":[["__proto__",{"polluted":1}]]}}';
  const data = (BaseEvent.fromJSON(tagged) as unknown as { data: object }).data;
  expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test('json - what fails when it is read is refused with its path and its error', () => {
  const broken = new Error('no lens');
  const fail = (): never => {
    throw broken;
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const payloads: readonly [object, path: string][] = [
    [
      {
        a: {
          b: [
            {
              get c() {
                return fail();
              },
            },
          ],
        },
      },
      'a.b[0].c',
    ],
    [{ a: [1, { toJSON: fail }] }, 'a[1]'],
    [{ a: new Map([['key', { toJSON: fail }]]) }, 'a[1]'],
    [{ a: { b: new Proxy({}, { ownKeys: fail }) } }, 'a.b'],
    [{ revoked: revoked.proxy }, 'revoked'],
  ];
  for (const [payload, path] of payloads) {
    const event = new BaseEvent(payload, { event_type: 'Photo' });
    for (const write of [() => event.toJSON(), () => event.eventSnapshot()]) {
      const error = thrown(write);
      expect(error).toMatchObject({ name: 'UnserializableError', path });
      expect(error.cause).toBe(path === 'revoked' ? error.cause : broken);
    }
  }
});
