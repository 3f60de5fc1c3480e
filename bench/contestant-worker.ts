// The process of one contestant: says that it is ready, then does its work once for each message.
import { scenarios } from './scenarios.ts';
import type { Contest, Measure, Outcome } from './scenario.ts';

const [scenario = '', loadName = '', name = ''] = process.argv.slice(2);
const loaded = (await scenarios[scenario]?.()) as Contest | undefined;
const contestant = loaded?.loads.find((load) => load.name === loadName)?.contestants[name];
if (contestant === undefined) throw new Error(`Expected a contestant, got ${scenario}, ${loadName}, ${name}.`);
const play = contestant;

process.on('disconnect', () => process.exit());
process.on('message', (operations: number) => void round(operations));
process.send?.('ready');

async function round(operations: number): Promise<void> {
  let figure = 0;
  let cpu = 0;
  const measure: Measure = async (work) => {
    const before = process.cpuUsage();
    const started = performance.now();
    await work();
    figure += ((performance.now() - started) * 1000) / operations;
    const { user, system } = process.cpuUsage(before);
    cpu += (user + system) / operations;
  };
  const own = await play(operations, measure);
  const outcome: Outcome = own === undefined ? { figure, cpu } : { figure: own };
  process.send?.(outcome);
}
