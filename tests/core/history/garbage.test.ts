import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

/** What a scene has left behind, told by a process of its own. */
async function play(scene: string): Promise<{ watched: number; left: number; name: string; grown: number }> {
  const { stdout, stderr } = await runProgram('collect-garbage', [scene], ['--expose-gc']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { watched: number; left: number; name: string; grown: number };
}

test('garbage - a bus that is dropped without stop() is collected, and its name is free again', async () => {
  expect(await play('idle bus')).toMatchObject({ watched: 1, left: 0, name: 'Dropped' });
});

test('garbage - a bus that has worked is collected as well, with its events', async () => {
  expect(await play('used bus')).toMatchObject({ watched: 21, left: 0, name: 'Dropped' });
});

test('garbage - a bus that was made and used inside a handler is collected as well', async () => {
  expect(await play('bus used inside a handler')).toMatchObject({ watched: 3, left: 0, name: 'Dropped' });
});

test('garbage - a bus that is stopped is let go with its events before the turn ends', async () => {
  const { grown } = await play('buses of one turn');
  expect(grown).toBeLessThan(2e6);
});

test('garbage - the names of buses that were dropped without stop() are let go as well', async () => {
  const { grown } = await play('names of dropped buses');
  expect(grown).toBeLessThan(4e6);
});

test('garbage - an evicted event keeps nothing: neither itself nor its payload nor its context', async () => {
  expect(await play('evicted events')).toMatchObject({ watched: 600, left: 0 });
});

test('garbage - children go with their evicted parents', async () => {
  expect(await play('children of evicted events')).toMatchObject({ watched: 100, left: 0 });
});

test('garbage - the context of a dispatch is let go when its event completes, though the history has the event', async () => {
  expect(await play('contexts of completed events')).toMatchObject({ watched: 20, left: 0, held: 20 });
});

test('garbage - an event that waits in a queue holds less than 530 bytes', async () => {
  const { grown } = await play('queued events');
  expect(grown / 20_000).toBeLessThan(530);
});

test('garbage - classes that are made up as a program runs are let go with their handlers, all but the first ones', async () => {
  const { watched, left } = await play('classes without handlers');
  expect(watched).toBe(3_000);
  expect(left).toBeLessThan(1_100);
});
