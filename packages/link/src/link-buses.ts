import { isMainThread, type MessagePort } from 'node:worker_threads';
import {
  busEngine,
  BusStoppedError,
  checkOptions,
  describe,
  newId,
  startTimer,
  type Timer,
} from '@threadbus/core/internal';
import { EventBus } from '@threadbus/core/internal/bus';
import { AnswerClock } from './outgoing/answer-clock.ts';
import { BusReference } from './remote/bus-reference.ts';
import { LinkError } from './wire/errors.ts';
import { checkFlow } from './wire/flow-limits.ts';
import { addLinkedName, removeLinkedName } from './link-names.ts';
import { linkOver } from './remote/link-over.ts';
import { RemoteBus } from './remote/remote-bus.ts';
import { portTransport } from './transport/port-transport.ts';
import type { Transport } from './transport/transport.ts';

/** Options of `linkBuses`. */
export interface LinkOptions {
  /** Events on the wire at a time. @default 256 */
  readonly maxInFlight?: number | undefined;
  /** Events that wait on this side. @default 10_000 */
  readonly maxPending?: number | undefined;
}

/** Seconds for the other side to introduce itself. */
const handshakeTimeout = 10;

/** The bus at the other end of a port. */
export class LinkedBus extends BusReference implements Disposable {
  readonly #close: () => void;

  /** @internal */
  constructor(remote: RemoteBus, close: () => void) {
    super(remote);
    this.#close = close;
  }

  /** Ends the link; what is under way on it fails with LinkError. */
  close(): void {
    this.#close();
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

/** A link that is being made: usable at once, and to be awaited for the moment when both sides know each other. */
export class Linking extends LinkedBus implements PromiseLike<LinkedBus> {
  readonly #ready: Promise<LinkedBus>;

  /** @internal */
  constructor(remote: RemoteBus, close: () => void, ready: Promise<LinkedBus>) {
    super(remote, close);
    this.#ready = ready;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- awaiting the handshake is what it is for
  then<Value = LinkedBus, Failure = never>(
    onReady?: ((bus: LinkedBus) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    return this.#ready.then(onReady, onError);
  }
}

/**
 * Joins two buses over a MessagePort, or any other transport; call it on both sides, each with its bus and its end.
 *
 * An idle link doesn't keep the main thread's process alive, an event under way does.
 *
 * @returns a reference to the other bus: usable at once (what is sent waits), awaitable for the handshake
 * @throws LinkError (from the await) if both buses have one name, or speak different versions, or the port is closed
 * @example
 * ```ts
 * const { port1, port2 } = new MessageChannel();
 * new Worker(url, { workerData: { port: port2 }, transferList: [port2] });   // there: linkBuses(bus, workerData.port)
 * const index = await linkBuses(main, port1);
 * main.on(FileFound, index.dispatch);
 * ```
 */
export function linkBuses(bus: EventBus, port: MessagePort | Transport, options: LinkOptions = {}): Linking {
  if (!(bus instanceof EventBus)) {
    throw new TypeError(
      `Expected linkBuses to get an EventBus, such as new EventBus({ name: 'Index' }); got ${describe(bus)}.`,
    );
  }
  checkOptions('linkBuses', options, ['maxInFlight', 'maxPending']);
  const limits = checkFlow(options);
  const transport = transportOf(port);
  let settle: { resolve: (bus: LinkedBus) => void; reject: (error: Error) => void };
  const ready = new Promise<LinkedBus>((resolve, reject) => {
    settle = { resolve, reject };
  });
  ready.catch(() => undefined);
  let closed = false;
  const close = (error: Error, isOwn = false): void => {
    if (closed) return;
    closed = true;
    handshake?.cancel();
    clock.stop();
    removeLinkedName(identity);
    stopped();
    if (isOwn) remote.close(error);
    else remote.fail(error);
    settle.reject(error);
    transport.close();
  };
  const identity = { id: newId(), name: 'the other side' };
  const noHello = `Nobody called linkBuses() at the other end of ${bus.name}'s port within ${handshakeTimeout} s.`;
  let handshake: Timer | null = startTimer(handshakeTimeout, () => close(new LinkError(noHello)), true);
  const remote = new RemoteBus(identity, bus, limits, {
    busy: (busy) => {
      if (busy) clock.start();
      // A thread is kept by its links; the process is kept by what is under way.
      if (!isMainThread || handshake !== null) return;
      if (busy) transport.ref();
      else transport.unref();
    },
    hello: (peer) => {
      Object.assign(identity, peer);
      try {
        addLinkedName(identity, busEngine(bus).identity);
      } catch (error) {
        close(error as Error);
        return;
      }
      handshake?.cancel();
      handshake = null;
      remote.connect();
      if (isMainThread && remote.outgoing.size === 0) transport.unref();
      settle.resolve(new LinkedBus(remote, end));
    },
  });
  const clock = new AnswerClock(remote.outgoing, () => remote.link);
  const end = (): void => close(new LinkError(`The link between ${bus.name} and ${identity.name} was closed.`), true);
  const onLost = (error: Error): void => {
    const what = `The link between ${bus.name} and ${identity.name} was closed: ${error.message}`;
    close(new LinkError(what, {}, { cause: error.cause ?? error }));
  };
  const stopped = bus.observe({
    stopped: () =>
      close(new BusStoppedError(`${bus.name}, at this end of the link, was stopped.`, { busName: bus.name })),
  });
  linkOver(remote, transport, { bus, identity: busEngine(bus).identity, onLost });
  return new Linking(remote, end, ready);
}

/** A transport is told from a MessagePort by its `open`. */
function transportOf(given: MessagePort | Transport): Transport {
  if (typeof given === 'object' && given !== null) {
    if ('open' in given && typeof given.open === 'function') return given;
    if ('postMessage' in given && typeof given.postMessage === 'function') return portTransport(given);
  }
  throw new TypeError(
    `Expected linkBuses to get a MessagePort, such as new MessageChannel().port1, or a Transport, such as streamTransport(input, output); got ${describe(given)}.`,
  );
}
