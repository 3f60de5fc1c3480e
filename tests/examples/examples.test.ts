import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hasServer } from '../nats/helpers/nats-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
/** As a user has it: warnings and errors are shown. */
const { THREADBUS_LOG_LEVEL: _silent, ...env } = process.env;
const entries = await readdir(`${root}/examples`, { withFileTypes: true });
/** The starter is an app of its own, to be copied: `npm run check:install` does. */
const names = entries.filter((entry) => entry.isDirectory() && !/^(?:dist|node_modules|starter)$/.test(entry.name));
const examples = await Promise.all(
  names.map(async ({ name }) => ({ name, readme: await readFile(`${root}/examples/${name}/README.md`, 'utf8') })),
);
const index = await readFile(`${root}/examples/README.md`, 'utf8');

test.each(examples)('examples - $name says its one command, and is in the list', ({ name, readme }) => {
  expect(readme).toMatch(new RegExp(`^npm run example -- ${name}(?: +#.*)?$`, 'm'));
  expect(index).toContain(`[${name}](${name})`);
});

// What weigh prints depends on what is installed, and inspector runs until it is stopped: their tests are beside this one.
const needServer = ['two-machines', 'durable-jobs'];
const runnable = examples.filter(
  ({ name }) => name !== 'weigh' && name !== 'inspector' && (hasServer || !needServer.includes(name)),
);
test.each(runnable)(
  'examples - $name prints what its README says',
  async ({ name, readme }) => {
    const output = /^```text\n(.*?)^```$/ms.exec(readme)?.[1];
    const program = `${root}/scripts/example.mjs`;
    const { stdout, stderr } = await run(process.execPath, [program, name], { cwd: root, env, timeout: 60_000 });
    expect(stdout).toBe(output);
    expect(stderr).toBe('');
  },
  60_000,
);

test('examples - a name that there is none of is answered with those that there are', async () => {
  const failed = await run(process.execPath, [`${root}/scripts/example.mjs`, 'cpu'], { cwd: root }).catch(
    (error: unknown) => error as { code: number; stderr: string },
  );
  expect(failed).toMatchObject({ code: 2 });
  expect(failed.stderr).toContain('got `cpu`. There are: cpu-handler, crash-recovery, ');
});
