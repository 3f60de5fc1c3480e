// `npm run bench [-- name … --quick --json --profile <folder>]`: runs scenarios, prints a table (or JSON) for each.
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { judge } from './goals.ts';
import type { Row } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const usage = `Usage: npm run bench [-- name … --quick --json --profile <folder>]; names: ${Object.keys(scenarios).join(', ')}.`;

try {
  await run(args());
} catch (error) {
  console.error(`bench: ${(error as Error).message}\n${usage}`);
  process.exitCode = 2;
}

async function run({ names, quick, json, profiles }: Args): Promise<void> {
  const machine = { node: process.version, cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}` };
  if (!json) console.log(`Node ${machine.node}, ${machine.cpu}${quick ? ', --quick: the figures mean little' : ''}\n`);
  for (const name of names) {
    try {
      const scenario = await scenarios[name]?.();
      const rows = judge(name, (await scenario?.run({ quick, profiles })) ?? []);
      console.log(
        json ? JSON.stringify({ scenario: name, ...machine, quick, rows }) : `### ${name}\n\n${table(rows)}\n`,
      );
    } catch (error) {
      // The others go on.
      console.error(`bench: ${name} failed:`, error);
      process.exitCode = 1;
    }
  }
}

interface Args {
  readonly names: readonly string[];
  readonly quick: boolean;
  readonly json: boolean;
  readonly profiles: string | undefined;
}

function args(): Args {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, profile: { type: 'string' } },
  });
  const unknown = positionals.filter((name) => !(name in scenarios));
  if (unknown.length > 0) throw new Error(`Unknown ${unknown.join(', ')}.`);
  return {
    names: positionals.length > 0 ? positionals : Object.keys(scenarios),
    quick: values.quick === true,
    json: values.json === true,
    profiles: values.profile === undefined ? undefined : resolve(values.profile),
  };
}

function table(rows: readonly Row[]): string {
  const verdict = ['goal', 'met'];
  const found = new Set(rows.flatMap((row) => Object.keys(row)));
  const columns = [
    ...[...found].filter((column) => !verdict.includes(column)),
    ...verdict.filter((column) => found.has(column)),
  ];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
  ].join('\n');
}
