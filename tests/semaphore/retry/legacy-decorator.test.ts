import { retry, retryContext } from '@threadbus/semaphore';
import { transform } from 'esbuild';
import { expect, test } from 'vitest';
import { Gauge, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';

// TypeScript's `experimentalDecorators`, as a compiler writes them.

async function compiled<Result>(source: string, ...given: readonly [string, unknown][]): Promise<Result> {
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
  const { code } = await transform(source, { loader: 'ts', target: 'es2022', tsconfigRaw });
  // oxlint-disable-next-line typescript/no-implied-eval -- compiled above
  const make = new Function(...given.map(([name]) => name), code) as (...args: readonly unknown[]) => Result;
  return make(...given.map(([, value]) => value));
}

interface Service {
  run(value: string): Promise<string>;
}

test('legacy decorator - a method is retried, with its `this` and arguments, and keeps its attributes', async () => {
  const options = { retries: 2, wait: 0, logger: new LogLines() };
  const Flaky = await compiled<new () => Service>(
    `class Flaky {
       calls = 0;
       @retry(options)
       async run(value) {
         this.calls++;
         if (this.calls < 3) throw new Error('not yet');
         return value + ' ' + this.calls + ' ' + retryContext().attempt;
       }
     }
     return Flaky;`,
    ['retry', retry],
    ['options', options],
    ['retryContext', retryContext],
  );
  expect(await new Flaky().run('a')).toBe('a 3 3');
  const descriptor = Object.getOwnPropertyDescriptor(Flaky.prototype, 'run');
  expect(descriptor).toMatchObject({ enumerable: false, configurable: true, writable: true });
  expect(new Flaky().run.name).toBe('run');
});

test.each(['class', 'self'])(
  'legacy decorator - scope %s counts by the class or instance, also for static methods',
  async (scope) => {
    const gauges = { method: new Gauge(), fixed: new Gauge() };
    const work = async (gauge: Gauge): Promise<void> => {
      gauge.enter();
      for (let turn = 0; turn < 5; turn++) await settled();
      gauge.leave();
    };
    const Limited = await compiled<(new () => { run(): Promise<void> }) & { fixed(): Promise<void> }>(
      `const limit = { retries: 0, semaphoreLimit: 1, semaphoreScope: '${scope}' };
     class Limited {
       @retry(limit) async run() { await work(gauges.method); }
       @retry(limit) static async fixed() { await work(gauges.fixed); }
     }
     return Limited;`,
      ['retry', retry],
      ['work', work],
      ['gauges', gauges],
    );
    const [a, b] = [new Limited(), new Limited()];
    await Promise.all([a.run(), a.run(), b.run(), b.run(), Limited.fixed(), Limited.fixed()]);
    expect([gauges.method.most, gauges.fixed.most]).toEqual([scope === 'class' ? 1 : 2, 1]);
  },
);

test.each([
  ['an accessor', '@retry() get value() { return 1; }', /decorate a method, got an accessor, `"value"`/],
  ['a field', '@retry() value = async () => 1;', /decorate a method, got a field, `"value"`/],
])('legacy decorator - %s is refused at once', async (_, member, message) => {
  await expect(compiled(`class Wrong { ${member} } return Wrong;`, ['retry', retry])).rejects.toThrow(message);
});

test('legacy decorator - a descriptor is needed', () => {
  const decorate = retry() as (...args: readonly unknown[]) => unknown;
  expect(() => decorate({}, 'value')).toThrow(TypeError);
  expect(() => decorate({}, Symbol('s'), { value: 7 })).toThrow(TypeError);
  const method = async (): Promise<void> => {};
  const descriptor = { value: method, enumerable: true, configurable: false, writable: false };
  expect(decorate({}, 'value', descriptor)).toMatchObject({ enumerable: true, configurable: false, writable: false });
});
