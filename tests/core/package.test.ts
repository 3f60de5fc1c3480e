import * as core from '@threadbus/core';
import { expect, test } from 'vitest';

test('package - @threadbus/core is loaded from its built output', () => {
  expect(import.meta.resolve('@threadbus/core')).toMatch(/packages\/core\/dist\/index\.js$/);
  expect(core).toBeTypeOf('object');
});
