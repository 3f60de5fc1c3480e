import { BaseEvent, EventBus } from '@threadbus/core';
import { expectTypeOf, test } from 'vitest';
import * as v4_0 from 'zod-4-0';
import * as v4_3 from 'zod-4-3';
import * as mini from 'zod/mini';

test('zod 4.0 and 4.3 - their types describe payload and result', () => {
  const Old = BaseEvent.extend(
    'Old',
    { name: v4_0.string(), n: v4_0.optional(v4_0.number()) },
    { result: v4_0.number() },
  );
  const event = new Old({ name: 'a' });
  expectTypeOf(event.name).toEqualTypeOf<string>();
  expectTypeOf(event.n).toEqualTypeOf<number | undefined>();
  expectTypeOf(event.eventResult()).toEqualTypeOf<Promise<number>>();
  // @ts-expect-error -- a string is expected
  void new Old({ name: 1 });
  const bus = new EventBus();
  bus.on(Old, () => 1);
  // @ts-expect-error -- a number is expected
  bus.on(Old, () => 'a');
  const Newer = BaseEvent.extend('Newer', v4_3.object({ name: v4_3.string() }), { result: v4_3.string() });
  expectTypeOf(new Newer({ name: 'a' }).name).toEqualTypeOf<string>();
  // @ts-expect-error -- a name is missing
  void new Newer({});
});

test('zod/mini - its types describe payload and result', () => {
  const Small = BaseEvent.extend('Small', { name: mini.string() }, { result: mini.object({ ok: mini.boolean() }) });
  expectTypeOf(new Small({ name: 'a' }).name).toEqualTypeOf<string>();
  expectTypeOf(new Small({ name: 'a' }).eventResult()).toEqualTypeOf<Promise<{ ok: boolean }>>();
  // @ts-expect-error -- a string is expected
  void new Small({ name: 1 });
  const bus = new EventBus();
  // @ts-expect-error -- ok is a boolean
  bus.on(Small, () => ({ ok: 'yes' }));
});
