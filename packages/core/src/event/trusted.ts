import type { Moment } from '../basics/clock.ts';
import type { IdOrigin } from './event-id.ts';

/** A payload that has been validated before, so that restoring an event doesn't do it again. */
export class TrustedPayload {
  readonly #payload: object;

  constructor(payload: object) {
    this.#payload = payload;
  }

  assignTo(event: object): void {
    Object.assign(event, this.#payload);
  }
}

/** The same, as it comes from another thread: names here, values in a row with others'. */
export class TrustedValues {
  readonly #names: readonly string[];
  readonly #values: readonly unknown[];
  readonly #from: number;

  /** @param from where the first of the values is */
  constructor(names: readonly string[], values: readonly unknown[], from: number) {
    this.#names = names;
    this.#values = values;
    this.#from = from;
  }

  assignTo(event: object): void {
    let at = this.#from;
    for (const name of this.#names) {
      (event as Record<string, unknown>)[name] = this.#values[at];
      at += 1;
    }
  }
}

/** An event's fields as another thread has checked them. */
export class TrustedFields {
  readonly type: string;
  readonly schema: string;
  /** Null if it is to be made of the order. */
  readonly id: string | null;
  readonly order: number;
  readonly idOrigin: IdOrigin;
  readonly parentId: string | null;
  readonly timeout: number | null | undefined;
  /** Undefined: as its class says. */
  readonly completion: 'all' | 'first' | undefined;
  readonly createdAt: Moment;

  constructor(
    { type, schema, timeout, completion }: Pick<TrustedFields, 'type' | 'schema' | 'timeout'> & Partial<TrustedFields>,
    id: string | null,
    order: number,
    idOrigin: IdOrigin,
    parentId: string | null,
    createdAt: Moment,
  ) {
    this.type = type;
    this.schema = schema;
    this.id = id;
    this.order = order;
    this.idOrigin = idOrigin;
    this.parentId = parentId;
    this.timeout = timeout;
    this.completion = completion;
    this.createdAt = createdAt;
  }
}
