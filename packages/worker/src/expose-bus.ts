import { busEngine, describe, type Moment, never, queueMicrotask, setImmediate } from '@threadbus/core/internal';
import { adoptIdentity, EventBus } from '@threadbus/core/internal/bus';
import { LinkError } from '@threadbus/link';
import {
  BusReference,
  defaultFlow,
  type Link,
  linkOver,
  RemoteBus,
  shareCrossings,
  TransportEnded,
} from '@threadbus/link/internal';
import { BoardObserver } from './thread/board-observer.ts';
import { exposeControl } from './thread/control.ts';
import { reportWhere } from './thread/where-report.ts';
import { drainOutput } from './thread/output.ts';
import { type ThreadInit, threadInit } from './thread/thread-state.ts';

/** Milliseconds of handlers in a row after which the thread looks at its messages. */
const slice = 5;
/** Milliseconds that the results of such handlers wait at most: if a handler ends the thread, they are lost. */
const longestHold = 1;

interface Exposure {
  readonly parent: RemoteBus;
  board: BoardObserver | null;
  bus: EventBus | null;
}

let exposure: Exposure | null = null;

/**
 * Makes a bus of this thread the one that the thread was started for; once per thread.
 *
 * The bus takes the id, and the suffix of its name, that were reserved for it. What the thread's starter sends arrives
 * from here on.
 *
 * @throws LinkError outside a thread that was started by `WorkerBus.start`, or the second time
 * @example
 * ```ts
 * // index-bus.ts
 * const bus = new EventBus({ name: 'Index' });
 * bus.on(FileFound, async (event) => { … });
 * exposeBus(bus);
 * ```
 */
export function exposeBus(bus: EventBus): void {
  const init = requireInit('exposeBus()');
  if (!(bus instanceof EventBus)) {
    throw new TypeError(
      `Expected exposeBus to get an EventBus, such as new EventBus({ name: 'Index' }); got ${describe(bus)}.`,
    );
  }
  const exposed = exposureOf(init);
  if (exposed.bus !== null) {
    throw new LinkError(
      `This thread exposes ${exposed.bus.name} already; a thread has one bus that its starter knows. Link further buses with linkBuses().`,
    );
  }
  exposed.bus = bus;
  reportWhere();
  adoptIdentity(bus, { id: init.id, name: init.name ?? `${bus.name}${init.suffix}` });
  exposed.board = new BoardObserver(bus, init.board, () => exposed.parent.link?.sendWorking());
  shareCrossings(bus, exposed.parent);
  // What the entry still registers on its parent right after this call is to be in place when the start resolves.
  queueMicrotask(() => connect(bus, exposed.parent, init));
}

function connect(bus: EventBus, parent: RemoteBus, init: ThreadInit): void {
  const { identity } = busEngine(bus);
  const link = linkOver(parent, init.events, {
    bus,
    identity,
    connected: true,
    // The starter ends what can't hear it any more; what hears it and can't understand it says so, and ends.
    onLost: (error) => {
      if (!(error instanceof TransportEnded)) setImmediate(() => fail(error));
    },
  });
  // It is what the thread, or the process, lives for from now on.
  init.events.ref();
  letMessagesIn(bus, link);
  link.outbox.onSent = () => exposure?.board?.written();
  exposeControl(bus, link, init.control);
}

/**
 * A reference to the bus that was given as `parent` to `WorkerBus.start`, for use in that thread.
 *
 * @throws LinkError if the thread was started without a parent, or not by `WorkerBus.start`
 * @example
 * ```ts
 * bus.on(FileFound, async ({ path }) => {
 *   await parentBus().dispatch(new FileIndexed({ path }));   // runs on the thread that started this one
 * });
 * ```
 */
export function parentBus(): BusReference {
  const init = requireInit('parentBus()');
  if (init.parent === null) {
    throw new LinkError(
      'This thread has no parent bus. Give it one where it is started: WorkerBus.start(url, { parent: bus }).',
    );
  }
  return new BusReference(exposureOf(init).parent);
}

function exposureOf(init: ThreadInit): Exposure {
  if (exposure !== null) return exposure;
  const identity = init.parent === null ? { id: '', name: '' } : { ...init.parent };
  // Nothing here keeps the thread alive or lets it go: its port does, until the starter ends it.
  const parent = new RemoteBus(identity, null, defaultFlow, {
    busy: () => undefined,
    arrived: (arrival) => exposure?.board?.arrived(arrival),
  });
  exposure = { parent, board: null, bus: null };
  return exposure;
}

/** As an error that nobody has caught: the starter is told. */
function fail(error: Error): never {
  throw error;
}

/** A burst of synchronous handlers would be one long turn: nothing would come in or go out until its end. */
function letMessagesIn(bus: EventBus, link: Link): void {
  const { loop } = busEngine(bus);
  // Since when the thread has not looked at its messages, and since when results wait; `never` until there is a handler.
  let since = never;
  let held = never;
  link.onFrame.push(() => {
    since = never;
  });
  // What is done goes out with what else is done in this turn of the event loop; at once, if that is all.
  link.outbox.expectsMore = () => link.hasArrivals;
  process.on('exit', () => link.outbox.flushNow());
  // An answer that waits for what its handler has printed is not to be lost with the next one.
  link.outbox.gate = drainOutput;
  link.outbox.onOpen = () => loop.schedule();
  loop.pause = (at) => {
    if (link.outbox.gated) return true;
    if (since === never) since = at;
    if (held === never) held = at;
    const due = hasPassed(slice, since, at);
    if (due || hasPassed(longestHold, held, at)) {
      held = at;
      link.outbox.flush();
      if (link.outbox.gated) return true;
    }
    if (!due) return false;
    setImmediate(() => {
      since = never;
      loop.schedule();
    });
    return true;
  };
}

/** So many milliseconds have passed, or nobody knows how many because the clock was set back. */
function hasPassed(milliseconds: number, from: Moment, to: Moment): boolean {
  return to - from >= milliseconds || to < from;
}

function requireInit(what: string): ThreadInit {
  const init = threadInit();
  if (init !== undefined) return init;
  throw new LinkError(
    `${what} only works in a thread that was started by WorkerBus.start(url). To join buses over a port of your own, use linkBuses(bus, port).`,
  );
}
