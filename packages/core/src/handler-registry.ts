import type { EventConstructor } from './base-event.ts';
import type { BusIdentity } from './bus-names.ts';
import type { ResultSource } from './event-result.ts';
import { type AnyHandler, describeHandler, type HandlerEntry } from './handler.ts';

interface PatternHandlers {
  readonly entries: Set<HandlerEntry>;
  readonly byHandler: Map<AnyHandler, Set<HandlerEntry>>;
  readonly byName: Map<string, number>;
}

const anyType = '*';
const rememberedTypes = 1_000;
const none: readonly HandlerEntry[] = [];

/** Counted, not random: a bus that registers the same handlers again after a restart gives them the same ids. */
class HandlerSource implements ResultSource {
  readonly handlerName: string;
  readonly #bus: Readonly<BusIdentity>;
  readonly #number: number;

  constructor(bus: Readonly<BusIdentity>, number: number, handlerName: string) {
    this.#bus = bus;
    this.#number = number;
    this.handlerName = handlerName;
  }

  get handlerId(): string {
    return `${this.#bus.id}.${this.#number.toString(16).padStart(4, '0')}`;
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
  readonly #patterns = new Map<string, PatternHandlers>();
  /** Handlers of a type, as matched last; dropped when a registration changes it. */
  readonly #matches = new Map<string, readonly HandlerEntry[]>();
  /** Classes that handlers were registered for, by type; what events from other threads become here. */
  readonly #classes = new Map<string, EventConstructor>();
  #registrations = 0;
  #size = 0;

  constructor(bus: Readonly<BusIdentity>) {
    this.#bus = bus;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the entry, and whether another function of the same name was registered for the pattern before */
  add(pattern: string, handler: AnyHandler, once: boolean): { entry: HandlerEntry; namesake: boolean } {
    const { name, ...kind } = describeHandler(handler);
    this.#registrations += 1;
    const source = new HandlerSource(this.#bus, this.#registrations, name);
    const entry: HandlerEntry = { source, pattern, handler, once, onRemoved: null, ...kind };
    const handlers = this.#patternHandlers(pattern);
    const same = handlers.byHandler.get(handler);
    const namesakes = handlers.byName.get(name) ?? 0;
    if (same === undefined) handlers.byHandler.set(handler, new Set([entry]));
    else same.add(entry);
    handlers.byName.set(name, namesakes + 1);
    handlers.entries.add(entry);
    this.#size += 1;
    this.#forget(pattern);
    const namesake = namesakes > 0 && same === undefined && name !== 'anonymous' && kind.target === null;
    return { entry, namesake };
  }

  addClass(Class: EventConstructor): void {
    this.#classes.set(Class.event_type, Class);
  }

  classOf(type: string): EventConstructor | undefined {
    return this.#classes.get(type);
  }

  remove(entry: HandlerEntry): void {
    const handlers = this.#patterns.get(entry.pattern);
    if (handlers === undefined || !handlers.entries.delete(entry)) return;
    this.#size -= 1;
    entry.onRemoved?.();
    const same = handlers.byHandler.get(entry.handler);
    same?.delete(entry);
    if (same?.size === 0) handlers.byHandler.delete(entry.handler);
    const namesakes = (handlers.byName.get(entry.source.handlerName) ?? 1) - 1;
    if (namesakes === 0) handlers.byName.delete(entry.source.handlerName);
    else handlers.byName.set(entry.source.handlerName, namesakes);
    if (handlers.entries.size === 0) this.#patterns.delete(entry.pattern);
    this.#forget(entry.pattern);
  }

  /** Removes all registrations of a function for the pattern, or all of the pattern. */
  removeAll(pattern: string, handler?: AnyHandler): void {
    const handlers = this.#patterns.get(pattern);
    if (handlers === undefined) return;
    const entries = handler === undefined ? handlers.entries : (handlers.byHandler.get(handler) ?? none);
    for (const entry of [...entries]) this.remove(entry);
  }

  /** Handlers of the type, then '*', each in order of registration and no function twice. */
  match(type: string): readonly HandlerEntry[] {
    const known = this.#matches.get(type);
    if (known !== undefined) return known;
    const matched = new Map<AnyHandler, HandlerEntry>();
    for (const pattern of type === anyType ? [anyType] : [type, anyType]) {
      for (const entry of this.#patterns.get(pattern)?.entries ?? none) {
        if (!matched.has(entry.handler)) matched.set(entry.handler, entry);
      }
    }
    const entries = matched.size === 0 ? none : [...matched.values()];
    // Types may be made up as a program runs: what is remembered of them must not grow with their number.
    if (this.#matches.size >= rememberedTypes) this.#matches.clear();
    this.#matches.set(type, entries);
    return entries;
  }

  *[Symbol.iterator](): IterableIterator<HandlerEntry> {
    for (const { entries } of this.#patterns.values()) yield* entries;
  }

  clear(): void {
    for (const entry of this) entry.onRemoved?.();
    this.#patterns.clear();
    this.#matches.clear();
    this.#size = 0;
  }

  #patternHandlers(pattern: string): PatternHandlers {
    let handlers = this.#patterns.get(pattern);
    if (handlers === undefined) {
      handlers = { entries: new Set(), byHandler: new Map(), byName: new Map() };
      this.#patterns.set(pattern, handlers);
    }
    return handlers;
  }

  #forget(pattern: string): void {
    if (pattern === anyType) this.#matches.clear();
    else this.#matches.delete(pattern);
  }
}
