import { once } from 'node:events';
import { EventBus } from '@threadbus/core';
import boomModule from 'sonic-boom';
import { check, type Contestant } from './scenario.ts';
import { inFolder, lineOf, lines, Logged, payload } from './wal-events.ts';

/** How events are dispatched: one after the other, or so many at once. */
type Manner = (bus: EventBus, events: number) => Promise<void>;

export const inTurn: Manner = async (bus, events) => {
  for (let n = 0; n < events; n += 1) await bus.dispatch(new Logged(payload(n)));
};

export const many: Manner = async (bus, events) => {
  for (let n = 0; n < events;) {
    const all: PromiseLike<unknown>[] = [];
    for (const end = Math.min(events, n + 512); n < end; n += 1) all.push(bus.dispatch(new Logged(payload(n))));
    await Promise.all(all);
  }
};

/** Of all threads of the process, in µs for one event. */
async function cpuOf(events: number, work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / events;
}

/** What events cost with something over what they cost without. */
async function extra(events: number, run: (part: number, isLogged: boolean) => Promise<number>): Promise<number> {
  const part = Math.ceil(events / 10);
  let cost = 0;
  // In small turns, so that both have the same of whatever else is going on.
  for (let i = 0; i < 10; i += 1) cost += (await run(part, true)) - (await run(part, false));
  return cost / 10;
}

/** With a log. */
export function withLog(manner: Manner): Contestant {
  return async (events) =>
    extra(events, async (part, isLogged) =>
      inFolder(async (path) => {
        const bus = new EventBus({ maxPending: null, ...(isLogged && { walPath: path }) });
        bus.on(Logged, () => {});
        const cost = await cpuOf(part, async () => {
          await manner(bus, part);
          await bus.stop();
        });
        if (isLogged) check(lines(path), part);
        return cost;
      }),
    );
}

/** With a handler that writes the same line with pino's writer, which gathers 4 kB and writes them in the thread pool. */
export function withBoom(manner: Manner, makeLine: (n: number) => string): Contestant {
  return async (events) =>
    extra(events, async (part, isLogged) =>
      inFolder(async (path) => {
        const boom = isLogged ? new boomModule.SonicBoom({ dest: path, sync: false, minLength: 4096 }) : null;
        if (boom !== null) await once(boom, 'ready');
        const bus = new EventBus({ maxPending: null });
        bus.on(Logged, boom === null ? () => {} : ({ n }) => void boom.write(makeLine(n)));
        const cost = await cpuOf(part, async () => {
          await manner(bus, part);
          await bus.stop();
          if (boom === null) return;
          boom.end();
          await once(boom, 'close');
        });
        if (isLogged) check(lines(path), part);
        return cost;
      }),
    );
}

export const jsonLine = (n: number): string => `${JSON.stringify(lineOf(n))}\n`;

const ready = jsonLine(0);
export const readyLine = (): string => ready;
