import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Served } from '../helpers/inspector-page.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('examples - inspector shows a lively program until Ctrl-C', async () => {
  const child = spawn(process.execPath, [`${root}/examples/dist/inspector/main.js`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let out = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  while (!out.includes('Ctrl-C')) await once(child.stdout, 'data');
  const look = await new Served(/^Open (http:\S+)$/m.exec(out)?.[1] ?? '').look();
  await look.event('Order', ({ done }) => done !== null);
  await look.event('Resize', ({ calls }) => (calls[0]?.thread ?? 0) > 0);
  await look.event('FileFound', ({ path }) => path.join() === 'Main,Index');
  expect(look.text).not.toContain('nobody sees this');
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(out).toMatch(/\nstopped\n$/);
  expect(errors).toBe('');
});
