import { registerPortableContext } from '@threadbus/link';
import { expect, test } from 'vitest';

const capture = (): string => 'id';
const run = <R>(_value: string, inside: () => R): R => inside();

test('portable context - what is none is refused where it is registered', () => {
  const cases: readonly [unknown, string][] = [
    [undefined, 'Expected the name of a portable context to be a text'],
    ['id', 'Expected the name of a portable context to be a text'],
    [{ name: '', capture, run }, 'Expected the name of a portable context to be a text'],
    [{ name: 'id', run }, "Expected capture of the portable context 'id' to be a function; got undefined"],
    [{ name: 'id', capture, run: 5 }, "Expected run of the portable context 'id' to be a function"],
  ];
  for (const [context, message] of cases) {
    expect(() => registerPortableContext(context as never)).toThrow(message);
  }
  registerPortableContext({ name: 'id', capture, run })();
});
