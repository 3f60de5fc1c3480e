// The whole, with its real threads.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, startApp } from '../src/app.js';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

afterAll(() => app.stop());

async function get(path: string): Promise<string> {
  const response = await fetch(app.url + path, { headers: { connection: 'close' } });
  return `${response.status} ${(await response.text()).trim()}`;
}

test('a thread counts, and another one remembers', async () => {
  expect(await get('/primes/1000')).toBe('200 168');
  expect(await get('/visits')).toBe('200 {"/primes/1000":1}');
});

test('what makes no sense is a 400, what takes too long a 504', async () => {
  expect(await get('/primes/many')).toBe('400 EventValidationError');
  expect(await get('/primes/1000000000')).toBe('504 HandlerTimeoutError');
  expect(await get('/primes/100')).toBe('200 25');
});
