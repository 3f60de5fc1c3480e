import type { EventConstructor } from '../event/base-event.ts';
import type { ResultSource } from '../event/event-result.ts';
import type { AnyHandler, HandlerEntry, HandlerKind } from './handler.ts';
import { type Linked, LinkedList } from '../basics/linked-list.ts';
import { takesOneArgument } from './handler-source.ts';

/** One registration, in the list of its pattern. */
export class Registration implements HandlerEntry, Linked<Registration> {
  previous: Registration | null = null;
  next: Registration | null = null;
  registered = false;
  /** An earlier registration of the same function for the same pattern. */
  earlier: Registration | null = null;
  onRemoved: (() => void) | null = null;
  readonly source: ResultSource;
  readonly pattern: string;
  readonly handler: AnyHandler;
  readonly once: boolean;
  readonly timeout: number | null;
  readonly #kind: HandlerKind;
  #ignoresContext: boolean | null = null;

  constructor(
    source: ResultSource,
    pattern: string,
    handler: AnyHandler,
    timeout: number | null,
    once: boolean,
    kind: HandlerKind,
  ) {
    this.source = source;
    this.pattern = pattern;
    this.handler = handler;
    this.once = once;
    this.timeout = timeout;
    this.#kind = kind;
  }

  get target(): HandlerEntry['target'] {
    return this.#kind.target;
  }

  get holdsSlot(): boolean {
    return this.#kind.holdsSlot;
  }

  get ownClock(): boolean {
    return this.#kind.ownClock;
  }

  get isRemote(): boolean {
    return this.#kind.isRemote;
  }

  get ignoresContext(): boolean {
    return (this.#ignoresContext ??= takesOneArgument(this.handler));
  }
}

/** The registrations for one pattern, in order. */
export class PatternHandlers implements Iterable<Registration> {
  readonly #list = new LinkedList<Registration>();
  /** By which the pattern was named last, if by one. */
  Class: EventConstructor | undefined = undefined;
  /**
   * By function, the latest registration; and how many there are of each name. Made for the second registration: most
   * patterns have one, and a map that is filled and emptied for every one-off handler costs more than the event.
   */
  #byHandler: Map<AnyHandler, Registration> | null = null;
  #byName: Map<string, number> | null = null;
  /** What an event gets, as it was worked out last, when the number of changes to '*' was `matchedAt`. */
  matched: readonly Registration[] | null = null;
  matchedAt = 0;

  get size(): number {
    return this.#list.size;
  }

  /** @returns whether another function of the same name was registered before */
  add(registration: Registration): boolean {
    if (this.#list.size === 1) this.#makeMaps();
    const { handler, source } = registration;
    const namesakes = this.#byName?.get(source.handlerName) ?? 0;
    registration.earlier = this.#byHandler?.get(handler) ?? null;
    this.#byHandler?.set(handler, registration);
    this.#byName?.set(source.handlerName, namesakes + 1);
    this.#list.push(registration);
    registration.registered = true;
    this.matched = null;
    return namesakes > 0 && registration.earlier === null;
  }

  remove(registration: Registration): void {
    this.#list.remove(registration);
    registration.registered = false;
    this.matched = null;
    if (this.#list.size === 0) {
      this.#byHandler = null;
      this.#byName = null;
      return;
    }
    this.#unmap(registration);
  }

  /** All registrations of a function. */
  of(handler: AnyHandler): readonly Registration[] {
    const found: Registration[] = [];
    let one = this.#byHandler === null ? this.#list.first : (this.#byHandler.get(handler) ?? null);
    for (; one !== null && one.handler === handler; one = one.earlier) found.push(one);
    return found;
  }

  /** Appends all registrations, in order. */
  addTo(all: Registration[]): void {
    for (let one = this.#list.first; one !== null; one = one.next) all.push(one);
  }

  [Symbol.iterator](): IterableIterator<Registration> {
    return this.#list[Symbol.iterator]();
  }

  #makeMaps(): void {
    this.#byHandler ??= new Map([...this.#list].map((one) => [one.handler, one]));
    this.#byName ??= new Map([...this.#list].map((one) => [one.source.handlerName, 1]));
  }

  #unmap(registration: Registration): void {
    const { handler, source, earlier } = registration;
    const byHandler = this.#byHandler;
    if (byHandler?.get(handler) !== registration) {
      for (let later = byHandler?.get(handler) ?? null; later !== null; later = later.earlier) {
        if (later.earlier === registration) later.earlier = earlier;
      }
    } else if (earlier === null) byHandler.delete(handler);
    else byHandler.set(handler, earlier);
    const namesakes = (this.#byName?.get(source.handlerName) ?? 1) - 1;
    if (namesakes === 0) this.#byName?.delete(source.handlerName);
    else this.#byName?.set(source.handlerName, namesakes);
  }
}
