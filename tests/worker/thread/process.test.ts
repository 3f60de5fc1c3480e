import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

test.each([
  ['bus', 'idle', '42\n'],
  ['process', 'idle', '42\n'],
  ['group of processes', 'idle', '42\n'],
  ['group', 'idle', '42\n'],
  ['pool', 'idle', '42\n'],
  ['bus', 'in flight', '42\nblocked\n'],
  ['process', 'in flight', '42\nblocked\n'],
  ['pool', 'in flight', '42\nblocked\n'],
  ['pool', 'left blocked', '42\n'],
  ['bus', 'crash', '42\ncrashed\n'],
  ['process', 'crash', '42\ncrashed\n'],
  ['bus', 'stop', '42\n'],
  ['process', 'stop', '42\n'],
])('process - with a %s, %s, it ends by itself when all is done and not before', async (what, then, output) => {
  const { code, stdout, stderr } = await runProgram('worker/idle-program', [what, then]);
  expect(stderr).toBe('');
  expect(stdout).toBe(output);
  expect(code).toBe(0);
});

test('process - ending pool threads while they are loading harms nothing else', async () => {
  const { code, stdout } = await runProgram('worker/hasty-stops', ['30'], []);
  expect([code, stdout]).toEqual([0, '30 stops\n']);
});
