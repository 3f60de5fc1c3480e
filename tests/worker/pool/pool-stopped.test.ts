import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';

test('pool - a process that was stopped for longer than a handler has still gets its result', async () => {
  const program = fileURLToPath(fixtureUrl('worker/stopped-pool-program'));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const closed = once(reader, 'close');
  await once(reader, 'line');
  child.kill('SIGSTOP');
  await sleep(1500);
  child.kill('SIGCONT');
  expect(await exit).toEqual([0, null]);
  await closed;
  expect(lines).toEqual(['begun', 'done']);
});
