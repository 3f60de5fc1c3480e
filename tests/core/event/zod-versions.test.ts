import { BaseEvent, isEventValidationError, isResultValidationError } from '@threadbus/core';
import { expect, test } from 'vitest';
import * as current from 'zod';
import * as v4_0 from 'zod-4-0';
import * as v4_1 from 'zod-4-1';
import * as v4_3 from 'zod-4-3';
import * as mini from 'zod/mini';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { thrown } from '../../helpers/thrown.ts';

const copies = { current, '4.0': v4_0, '4.1': v4_1, '4.3': v4_3, mini } as unknown as Readonly<
  Record<string, Pick<typeof current, 'object' | 'string' | 'number' | 'strictObject' | 'array'>>
>;

for (const [name, z] of Object.entries(copies)) {
  test(`zod ${name} - describes payloads and results, by fields and by objects`, async () => {
    const bus = quietBus();
    const ByFields = BaseEvent.extend(
      'ByFields',
      { name: z.string(), sizes: z.array(z.number()) },
      { result: z.number() },
    );
    const ByObject = BaseEvent.extend('ByObject', z.object({ name: z.string() }), {
      result: z.object({ ok: z.number() }),
    });
    const Both = ByFields.extend('Both', z.object({ more: z.number() }));
    bus.on('*', ({ event_type }) => (event_type === 'ByObject' ? { ok: 1, extra: 2 } : 7));
    expect(await bus.dispatch(new ByFields({ name: 'a', sizes: [1] })).eventResult()).toBe(7);
    expect(await bus.dispatch(new ByObject({ name: 'a' })).eventResult()).toEqual({ ok: 1 });
    expect(await bus.dispatch(new Both({ name: 'a', sizes: [], more: 3 })).eventResult()).toBe(7);
    const unknown = new ByFields({ name: 'a', sizes: [], kept: true } as never) as unknown as { kept: unknown };
    expect(unknown.kept).toBe(true);
    for (const wrong of [
      () => new ByFields({ name: 1, sizes: [] } as never),
      () => new Both({ name: 'a', sizes: [] } as never),
    ]) {
      const error = thrown(wrong);
      expect(isEventValidationError(error)).toBe(true);
      expect(isEventValidationError(error) && error.issues[0]?.path).toMatch(/^(?:name|more)$/);
    }
    const Strict = BaseEvent.extend('Strict', z.strictObject({ name: z.string() }));
    expect(isEventValidationError(thrown(() => new Strict({ name: 'a', other: 1 } as never)))).toBe(true);
    const Wrong = BaseEvent.extend('Wrong', {}, { result: z.string() });
    const error = await rejection(bus.dispatch(new Wrong({})).eventResult());
    expect(isResultValidationError(error)).toBe(true);
    expect(error.message).toMatch(/expected string/i);
  });
}

test('zod - checks of an object are kept, of both when it is extended', () => {
  const { z } = current;
  const Range = BaseEvent.extend(
    'Range',
    z.object({ from: z.number(), to: z.number() }).refine(({ from, to }) => from <= to, 'upside down'),
  );
  expect(thrown(() => new Range({ from: 2, to: 1 })).message).toContain('upside down');
  const Named = Range.extend('Named', { name: z.string() });
  expect(thrown(() => new Named({ from: 2, to: 1, name: 'x' })).message).toContain('upside down');
});

test('zod - a field that is a getter is looked at only when it is used', () => {
  const { z } = current;
  const Tree = z.object({
    name: z.string(),
    get children() {
      return z.array(Tree);
    },
  });
  const Planted = BaseEvent.extend('Planted', Tree);
  expect(new Planted({ name: 'a', children: [{ name: 'b', children: [] }] }).children[0]?.name).toBe('b');
  const again = Planted.extend('Replanted', { by: z.string() });
  expect(isEventValidationError(thrown(() => new again({ name: 'a', children: [{}], by: 'me' } as never)))).toBe(true);
});
