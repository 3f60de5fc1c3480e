import type { EventConstructor } from '../event/base-event.ts';
import type { BusIdentity } from '../event/bus-names.ts';
import type { ResultSource } from '../event/event-result.ts';
import { type AnyHandler, kindOf, nameOf } from './handler.ts';
import { PatternHandlers, Registration } from './pattern-handlers.ts';
import { anyType, prefixesOf, prefixOf } from '../event/type-pattern.ts';
import { type Subscription, subscription } from '../basics/subscription.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** How many patterns without a handler are kept for the next one. */
const keptPatterns = 1_000;
const none: readonly never[] = [];

/** Counted, not random: a bus that registers the same handlers again after a restart gives them the same ids. */
class HandlerSource implements ResultSource {
  readonly handlerName: string;
  readonly #bus: Readonly<BusIdentity>;
  readonly #number: number;
  #handlerId: string | null = null;

  constructor(bus: Readonly<BusIdentity>, number: number, handlerName: string) {
    this.#bus = bus;
    this.#number = number;
    this.handlerName = handlerName;
  }

  get handlerId(): string {
    return (this.#handlerId ??= `${this.#bus.id}.${this.#number.toString(16).padStart(4, '0')}`);
  }

  get busId(): string {
    return this.#bus.id;
  }

  get busName(): string {
    return this.#bus.name;
  }
}

/** The handlers of one bus, by pattern and in the order of their registration. */
export class HandlerRegistry {
  readonly #bus: Readonly<BusIdentity>;
  /** By type. Made for the first one, as all that an idle bus can do without. */
  #patterns: Map<string, PatternHandlers> | null = null;
  #any: PatternHandlers | null = null;
  /** Changes to the handlers of '*' and of prefixes, which many types have. */
  #wideChanges = 0;
  /** By prefix: `user.` for 'user.*'. Null until there is one. */
  #prefixes: Map<string, PatternHandlers> | null = null;
  #registrations = 0;
  #size = 0;

  constructor(bus: Readonly<BusIdentity>) {
    this.#bus = bus;
  }

  get size(): number {
    return this.#size;
  }

  /** The types that have a handler of their own. */
  get types(): string[] {
    return [...(this.#patterns ?? [])].filter(([, { size }]) => size > 0).map(([type]) => type);
  }

  /** @returns the entry, and whether another function of the same name was registered for the pattern before */
  add(
    pattern: string,
    handler: AnyHandler,
    once: boolean,
    timeout: number | null,
  ): { entry: Registration; namesake: boolean } {
    const kind = kindOf(handler);
    const name = nameOf(handler);
    this.#registrations += 1;
    const source = new HandlerSource(this.#bus, this.#registrations, name);
    const entry = new Registration(source, pattern, handler, timeout, once, kind);
    const namesake = this.#handlersOf(pattern).add(entry) && name !== 'anonymous' && kind.target === null;
    if (isWide(pattern)) this.#wideChanges += 1;
    this.#size += 1;
    return { entry, namesake };
  }

  addClass(Class: EventConstructor): void {
    this.#handlersOf(Class.event_type).Class = Class;
  }

  /** The class that handlers were registered for: what events from other threads become here. */
  classOf(type: string): EventConstructor | undefined {
    return this.#patterns?.get(type)?.Class;
  }

  remove(entry: Registration): void {
    if (!entry.registered) return;
    const { pattern } = entry;
    const handlers = this.#handlersOf(pattern);
    handlers.remove(entry);
    if (isWide(pattern)) this.#wideChanges += 1;
    // Patterns may be made up as a program runs: what is kept of them must not grow with their number.
    if (handlers.size === 0) this.#forget(pattern);
    this.#size -= 1;
    entry.onRemoved?.();
  }

  #forget(pattern: string): void {
    const prefix = prefixOf(pattern);
    if (prefix !== null) this.#prefixes?.delete(prefix);
    else if ((this.#patterns?.size ?? 0) > keptPatterns) this.#patterns?.delete(pattern);
  }

  /** What ends the registration; the signal does, too. */
  subscription(entry: Registration, signal: AbortSignal | undefined): Subscription {
    const end = (): void => this.remove(entry);
    if (signal !== undefined) entry.onRemoved = whenAborted(signal, end);
    return subscription(end);
  }

  /** Removes all registrations of a function for the pattern, or all of the pattern. */
  removeAll(pattern: string, handler?: AnyHandler): void {
    if (!this.#isKnown(pattern)) return;
    const handlers = this.#handlersOf(pattern);
    for (const entry of handler === undefined ? [...handlers] : handlers.of(handler)) this.remove(entry);
  }

  /**
   * Handlers of the type, then of its prefixes with the longest first, then '*', each in order of registration and no
   * function twice.
   */
  match(type: string): readonly Registration[] {
    const handlers = this.#patterns?.get(type) ?? (this.#prefixes === null ? this.#any : null);
    if (handlers === null) return this.#prefixes === null ? none : distinct(this.#wider(type));
    if (handlers.matched !== null && handlers.matchedAt === this.#wideChanges) return handlers.matched;
    handlers.matched = distinct(handlers === this.#any ? [handlers] : [handlers, ...this.#wider(type)]);
    handlers.matchedAt = this.#wideChanges;
    return handlers.matched;
  }

  /** Those of its prefixes, and of all types. */
  #wider(type: string): PatternHandlers[] {
    const found: PatternHandlers[] = [];
    for (const prefix of this.#prefixes === null ? none : prefixesOf(type)) {
      const handlers = this.#prefixes?.get(prefix);
      if (handlers !== undefined) found.push(handlers);
    }
    if (this.#any !== null) found.push(this.#any);
    return found;
  }

  /** Signals end no registration any more: they may outlive the bus by far. */
  stopListening(): void {
    for (const entries of this.#all()) {
      for (const entry of entries) {
        entry.onRemoved?.();
        entry.onRemoved = null;
      }
    }
  }

  clear(): void {
    for (const handlers of this.#all()) for (const entry of [...handlers]) this.remove(entry);
    this.#patterns = null;
    this.#prefixes = null;
  }

  #all(): PatternHandlers[] {
    const all = [...(this.#patterns?.values() ?? []), ...(this.#prefixes?.values() ?? [])];
    return this.#any === null ? all : [...all, this.#any];
  }

  #isKnown(pattern: string): boolean {
    const prefix = prefixOf(pattern);
    if (prefix !== null) return this.#prefixes?.has(prefix) === true;
    return pattern === anyType ? this.#any !== null : this.#patterns?.has(pattern) === true;
  }

  #handlersOf(pattern: string): PatternHandlers {
    if (pattern === anyType) return (this.#any ??= new PatternHandlers());
    const prefix = prefixOf(pattern);
    if (prefix !== null) return handlersIn((this.#prefixes ??= new Map<string, PatternHandlers>()), prefix);
    return handlersIn((this.#patterns ??= new Map<string, PatternHandlers>()), pattern);
  }
}

/** Other types than one are concerned by its handlers. */
function isWide(pattern: string): boolean {
  return pattern === anyType || prefixOf(pattern) !== null;
}

function handlersIn(patterns: Map<string, PatternHandlers>, key: string): PatternHandlers {
  let handlers = patterns.get(key);
  if (handlers === undefined) {
    handlers = new PatternHandlers();
    patterns.set(key, handlers);
  }
  return handlers;
}

function distinct(patterns: readonly PatternHandlers[]): readonly Registration[] {
  const all: Registration[] = [];
  for (const handlers of patterns) handlers.addTo(all);
  if (all.length < 2) return all;
  const seen = new Set<AnyHandler>();
  return all.filter(({ handler }) => !seen.has(handler) && seen.add(handler));
}
