import * as worker from '@threadbus/worker';
import { expect, test } from 'vitest';

test('package - @threadbus/worker is loaded from its built output', () => {
  expect(import.meta.resolve('@threadbus/worker')).toMatch(/packages\/worker\/dist\/index\.js$/);
  expect(worker).toBeTypeOf('object');
});
