import { expect, test } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';

const [major = 0] = process.versions.node.split('.').map(Number);
const permission = major < 24 ? '--experimental-permission' : '--permission';

test.each([
  ['may write no file', '--allow-child-process'],
  ['may start no process', '--allow-fs-write=*'],
])(
  'not allowed - in a program that %s, the start of a process is an error that says so',
  { timeout: 30_000 },
  async (_what, allowed) => {
    const options = [permission, '--allow-fs-read=*', '--allow-worker', allowed];
    const { stdout, code } = await runProgram('worker/not-allowed-program', [], options);
    expect(stdout).toBe('WorkerStartError true\n');
    expect(code).toBe(0);
  },
);
