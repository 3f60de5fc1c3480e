import type * as core from '@threadbus/core';
import { expectTypeOf, test } from 'vitest';

test('package - the built declarations are found', () => {
  expectTypeOf<typeof core>().toBeObject();
  // @ts-expect-error a module is no string
  expectTypeOf<typeof core>().toBeString();
});
