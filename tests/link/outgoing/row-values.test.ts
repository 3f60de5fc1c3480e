import { expect, test } from 'vitest';
import { RowValues } from '../../../packages/link/dist/outgoing/row-values.js';

test('row values - a row that is read and written between the two steps of another leaves that whole', () => {
  const rows = new RowValues();
  const frame: unknown[] = [];
  expect(rows.read({ a: 'outer', b: 'text' }, ['a', 'b'], [])).toBeNull();
  expect(rows.read({ a: 'inner' }, ['a'], [])).toBeNull();
  expect(rows.moveTo(frame)).toBe(5);
  expect(rows.read({}, ['a'], [])).toBeNull();
  expect(rows.moveTo(null)).toBe(0);
  expect(rows.moveTo(frame)).toBe(9);
  expect(frame).toEqual(['inner', 'outer', 'text']);
});

test('row values - one that can not be read leaves the row around it whole', () => {
  const rows = new RowValues();
  const frame: unknown[] = [];
  const broken = {
    get a(): never {
      throw new Error('not to be had');
    },
  };
  expect(rows.read({ a: 1, b: 2 }, ['a', 'b'], [])).toBeNull();
  expect(rows.read(broken, ['a'], [])).toMatchObject({ message: 'A field could not be read.' });
  rows.moveTo(frame);
  expect(frame).toEqual([1, 2]);
});
