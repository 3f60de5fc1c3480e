import { semaphore } from './src/semaphore.ts';

/** `npm run bench` runs every scenario, `npm run bench -- <name>` one. */
const scenarios: Record<string, () => Promise<void>> = { semaphore };

const asked = process.argv.slice(2);
for (const name of asked.length > 0 ? asked : Object.keys(scenarios)) {
  const scenario = scenarios[name];
  if (scenario === undefined) throw new Error(`Expected one of ${Object.keys(scenarios).join(', ')}, got ${name}.`);
  console.log(`# ${name}`);
  await scenario();
}
