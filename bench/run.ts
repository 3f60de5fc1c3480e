// `npm run bench [-- name …] [--quick] [--json]`: runs scenarios and prints a Markdown table (or JSON) for each.
import { abxbusScenario } from './abxbus.ts';
import { coreGrowth } from './core-growth.ts';
import type { Row, Scenario } from './scenario.ts';
import { semaphore } from './src/semaphore.ts';
import { threads } from './src/threads.ts';

/** Prints a table for each of its parts itself. */
const slots: Scenario = {
  name: 'semaphore',
  async run() {
    await semaphore();
    return [];
  },
};
const scenarios: readonly Scenario[] = [abxbusScenario, coreGrowth, slots, threads];

const args = process.argv.slice(2);
const flags = new Set(args.filter((arg) => arg.startsWith('--')));
const names = args.filter((arg) => !arg.startsWith('--'));
const known = scenarios.map(({ name }) => name);
const wrong = [...flags].filter((flag) => flag !== '--quick' && flag !== '--json');
wrong.push(...names.filter((name) => !known.includes(name)));

if (wrong.length > 0) {
  console.error(
    `bench: unknown ${wrong.join(', ')}. Usage: npm run bench [-- name … --quick --json]; names: ${known.join(', ')}.`,
  );
  process.exitCode = 2;
} else {
  for (const scenario of scenarios) {
    if (names.length > 0 && !names.includes(scenario.name)) continue;
    const rows = await scenario.run({ quick: flags.has('--quick') });
    if (flags.has('--json')) console.log(JSON.stringify({ scenario: scenario.name, node: process.version, rows }));
    else if (rows.length > 0) console.log(`### ${scenario.name} (Node ${process.version})\n\n${table(rows)}\n`);
  }
}

function table(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns),
    line(columns.map(() => '---')),
    ...rows.map((row) => line(columns.map((column) => row[column] ?? ''))),
  ].join('\n');
}
