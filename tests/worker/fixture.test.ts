import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';

test('fixture - a compiled fixture runs in a worker thread', async () => {
  const worker = new Worker(fixtureUrl('echo'));
  const reply = once(worker, 'message');
  worker.postMessage({ hello: 'thread' });
  expect(await reply).toEqual([{ hello: 'thread' }]);
  const exit = once(worker, 'exit');
  worker.postMessage('stop');
  expect(await exit).toEqual([0]);
});

test('fixture - an unknown name says where the file was expected', () => {
  expect(() => fixtureUrl('no-such-fixture')).toThrow(
    /Expected the fixture "no-such-fixture" at .*no-such-fixture\.js/,
  );
});
