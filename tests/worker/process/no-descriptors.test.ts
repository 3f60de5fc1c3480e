import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';

// A shell is needed that limits its programs.
test.skipIf(process.platform === 'win32').each([0, 1, 3])(
  'no descriptors - with %i left, a process that is started or replaced is an error of its own, not of the program',
  { timeout: 60_000 },
  async (free) => {
    const program = fileURLToPath(fixtureUrl('worker/no-descriptors-program'));
    const command = `ulimit -n 128 && exec "$0" "$@"`;
    const child = spawn('sh', ['-c', command, process.execPath, program, String(free)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number | null]>]);
    expect(output).toBe('WorkerStartError true\nWorkerCrashedError\nup\n');
    expect(code).toBe(0);
  },
);
