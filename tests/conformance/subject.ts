import { EventBus } from '@threadbus/core';
import { linkBuses, type LinkedBus, streamTransport } from '@threadbus/link';
import type { JoinedBus } from '@threadbus/nats';
import { WorkerBus } from '@threadbus/worker';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { CircleUp, Down, Seen, Up } from '../fixtures/worker/conformance-events.ts';
import { registerHandlers } from '../fixtures/worker/conformance-handlers.ts';
import { fixtureUrl } from '../helpers/fixture.ts';
import { type Gate, gate } from '../helpers/gate.ts';
import { joinOverNats } from './nats-subject.ts';

export type SubjectKind =
  | 'same thread'
  | 'next thread'
  | 'thread after next'
  | 'next process'
  | 'process after next'
  | 'process at the end of a pipe'
  | 'next process over NATS'
  | 'over NATS, process after next';

/** What is asked of a bus beside its events; a link alone carries none of it. */
type Control = Pick<WorkerBus, 'waitUntilIdle' | 'logTree' | 'stop'>;

/** Whether a bus of that kind can be asked for its tree, waited for until it is idle, and stopped. */
export function hasControl(kind: SubjectKind): boolean {
  return kind !== 'process at the end of a pipe' && !kind.includes('NATS');
}

/** A bus with the fixture's handlers, wherever it lives, and the bus of this thread that started it. */
export interface Subject extends AsyncDisposable {
  readonly kind: SubjectKind;
  readonly bus: EventBus | WorkerBus | (LinkedBus & Control) | (JoinedBus & Control);
  readonly home: EventBus;
  /** Names of the buses that an event passes, `bus` first. */
  readonly path: readonly string[];
  /** Events come as copies, and only what can be cloned comes. */
  readonly crosses: boolean;
  /** Opens when the handler at home has seen a Hold of the key; what it waits for is `release`. */
  readonly seen: (key: string) => Gate;
  readonly release: (key: string) => Gate;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

export async function startSubject(kind: SubjectKind): Promise<Subject> {
  const home = new EventBus({ name: 'Home', maxPending: null, logger: silent });
  const gates = new Map<string, Gate>();
  const gateOf = (key: string): Gate => {
    const known = gates.get(key) ?? gate();
    gates.set(key, known);
    return known;
  };
  const bus = await start(kind, home);
  home.on(Up, async function up({ left }) {
    if (left === 0) return 0;
    return 1 + ((await bus.dispatch(new Down({ left: left - 1 })).eventResult()) as number);
  });
  // On a bus of its own: what waits for a gate must not hold the slot of the bus at home.
  const door = new EventBus({ name: 'Door', maxPending: null, parallelHandlers: true, logger: silent });
  door.on(Seen, async ({ key }) => {
    gateOf(`${key} seen`).open();
    await gateOf(`${key} release`).opened;
  });
  home.on(Seen, door.dispatch);
  home.on(CircleUp, async (event) => {
    await circles.get(event.event_parent_id ?? '')?.();
  });
  return {
    kind,
    bus,
    home,
    path: kind.endsWith('after next') ? ['Middle', 'Subject'] : ['Subject'],
    crosses: kind !== 'same thread',
    seen: (key) => gateOf(`${key} seen`),
    release: (key) => gateOf(`${key} release`),
    [Symbol.asyncDispose]: async () => {
      await bus.stop({ clear: true });
      await home.stop({ clear: true });
      await door.stop({ clear: true });
    },
  };
}

/** What the handler of CircleUp does for a child of the event with that id. */
export const circles = new Map<string, () => Promise<unknown>>();

async function start(kind: SubjectKind, home: EventBus): Promise<Subject['bus']> {
  if (kind === 'same thread') {
    const bus = new EventBus({ name: 'Subject', maxPending: null, logger: silent });
    registerHandlers(bus, home);
    return bus;
  }
  if (kind === 'process at the end of a pipe') return startProcess(home);
  if (kind.includes('NATS')) return joinOverNats(home, kind.endsWith('after next'));
  const entry = kind.endsWith('after next') ? 'conformance-middle' : 'conformance-bus';
  const isolation = kind.includes('process') ? 'process' : 'thread';
  return WorkerBus.start(fixtureUrl(`worker/${entry}`), { parent: home, isolation, workerData: { isolation } });
}

async function startProcess(home: EventBus): Promise<LinkedBus & Control> {
  const child = spawn(process.execPath, [fileURLToPath(fixtureUrl('worker/conformance-process'))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  }) as ChildProcess & { stdin: Writable; stdout: Readable };
  const ended = once(child, 'exit');
  const link = await linkBuses(home, streamTransport(child.stdout, child.stdin));
  const refuse = (): never => {
    throw new Error('A link alone has no control.');
  };
  const stop = async (): Promise<void> => {
    link.close();
    await ended;
  };
  return Object.assign(link, { waitUntilIdle: refuse, logTree: refuse, stop });
}
