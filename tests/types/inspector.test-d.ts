import { inspect, type Inspector, type InspectOptions, type Redact } from '@threadbus/inspector';
import { expectTypeOf, test } from 'vitest';

test('inspect - takes what it has, and gives a page to close', () => {
  expectTypeOf(inspect()).resolves.toEqualTypeOf<Inspector>();
  expectTypeOf(inspect({ port: 7070, write: true, allowProduction: true })).resolves.toHaveProperty('url');
  expectTypeOf<Inspector['url']>().toBeString();
  expectTypeOf<Inspector['close']>().returns.resolves.toBeVoid();
  expectTypeOf<Inspector>().toExtend<AsyncDisposable>();
  // @ts-expect-error a port is a number
  void inspect({ port: '7070' });
  // @ts-expect-error there is no such option
  void inspect({ host: '0.0.0.0' });
  // @ts-expect-error true or false
  void inspect({ write: 'yes' });
});

test('inspect - hides by a function or a module', () => {
  expectTypeOf<InspectOptions['redact']>().toEqualTypeOf<Redact | URL | undefined>();
  void inspect({ redact: (path, value) => (path.endsWith('.iban') ? '…' : value) });
  void inspect({ redact: new URL('./redact.js', import.meta.url) });
  // @ts-expect-error the path of a module is a URL
  void inspect({ redact: './redact.js' });
  void inspect({
    redact(_path, value) {
      // @ts-expect-error what the value is has to be looked at
      return value.length as unknown;
    },
  });
});

test('inspect - what it gives is read only', async () => {
  const inspector = await inspect();
  // @ts-expect-error the address is given
  inspector.url = 'http://127.0.0.1';
});
