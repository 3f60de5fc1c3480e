import * as semaphore from '@threadbus/semaphore';
import { expect, test } from 'vitest';

test('package - @threadbus/semaphore is loaded from its built output', () => {
  expect(import.meta.resolve('@threadbus/semaphore')).toMatch(/packages\/semaphore\/dist\/index\.js$/);
  expect(semaphore).toBeTypeOf('object');
});
