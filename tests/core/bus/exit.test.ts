import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

async function play(scene: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram('exit-by-itself', [scene]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout.trim();
}

test('exit - neither an unused nor an idle bus keeps the process alive', async () => {
  expect(await play('idle')).toBe('');
  expect(await play('used')).toBe('completed');
});

test('exit - a running handler’s timeout keeps the process alive until it has fired', async () => {
  expect(await play('stuck')).toMatch(/^HandlerTimeoutError: .* timed out after 0\.3s/);
});

test('exit - a handler without timeout that nothing can wake doesn’t', async () => {
  expect(await play('endless')).toBe('');
});

test('exit - the long timeout of a handler that is done doesn’t', async () => {
  expect(await play('finished')).toBe('completed');
});

test('exit - waits without timeout don’t; one with a timeout is heard of', async () => {
  expect(await play('waiters')).toBe('');
  expect(await play('wait')).toMatch(/^TimeoutError: No 'Never' that matches was dispatched/);
});
