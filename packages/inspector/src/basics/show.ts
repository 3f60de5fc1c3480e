import { ownFrames } from '@threadbus/core/internal';
import { hidden, redacted, type Redact, redactedText } from './redact.ts';
import type { ErrorText, Shown } from './records.ts';

/** Characters that are shown of one event, or one result; what a value costs beside its text. */
const mostCharacters = 64 * 1024;
const characterCost = 16;
const mostOfText = 16 * 1024;
const mostDepth = 20;

/**
 * Makes plain JSON of a value, within bounds, as far as it may be shown.
 *
 * Each value is shown to `redact` before it is looked into, containers too: what isn't to leave the thread is never
 * copied. What can't be read is said to be so, and nothing throws.
 */
export class Showing {
  readonly #redact: Redact;
  readonly #around = new Set<object>();
  #left = mostCharacters;

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  show(path: string, value: unknown): Shown {
    if (this.#left <= 0) return '…';
    this.#left -= characterCost;
    return this.#plain(path, redacted(this.#redact, path, value));
  }

  #plain(path: string, value: unknown): Shown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0) ? value : `‹${numberText(value)}›`;
    if (typeof value === 'boolean' || value === null) return value;
    if (typeof value === 'bigint') return this.#text(`‹${value}n›`);
    if (typeof value === 'function') return this.#text(`‹function ${value.name}›`);
    if (typeof value === 'symbol') return this.#text(`‹${String(value)}›`);
    if (value === undefined) return '‹undefined›';
    return this.#object(path, value);
  }

  #object(path: string, value: object): Shown {
    if (this.#around.has(value)) return '‹circular›';
    if (this.#around.size >= mostDepth) return '‹deep›';
    this.#around.add(value);
    try {
      return this.#parts(path, value);
    } catch {
      return '‹unreadable›';
    } finally {
      this.#around.delete(value);
    }
  }

  #parts(path: string, value: object): Shown {
    if (Array.isArray(value)) return this.#list(path, value);
    if (value instanceof Date) return `‹Date ${Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString()}›`;
    if (value instanceof RegExp) return this.#text(`‹${String(value)}›`);
    if (ArrayBuffer.isView(value)) return `‹${value.constructor.name}, ${value.byteLength} bytes›`;
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
      return `‹${value.constructor.name}, ${value.byteLength} bytes›`;
    if (value instanceof Map) {
      return this.#fields(path, '‹Map›', (add) => {
        for (const [key, each] of value as Map<unknown, unknown>) if (!add(keyText(key), () => each)) return;
      });
    }
    if (value instanceof Set) return { '‹Set›': this.#list(path, value as Set<unknown>) };
    if (value instanceof Error) return { ...errorText(value, path, this.#redact) };
    return this.#fields(path, null, (add) => {
      for (const key of Object.keys(value)) if (!add(key, () => (value as Record<string, unknown>)[key])) return;
    });
  }

  /** Looks at no more of it than can be shown. */
  #list(path: string, list: readonly unknown[] | ReadonlySet<unknown>): Shown {
    const shown: Shown[] = [];
    const size = Array.isArray(list) ? list.length : (list as ReadonlySet<unknown>).size;
    for (const each of list) {
      if (this.#left <= 0) {
        shown.push(`… ${size - shown.length} more`);
        break;
      }
      shown.push(this.show(`${path}.${shown.length}`, each));
    }
    return shown;
  }

  #fields(path: string, tag: string | null, each: (add: (key: string, read: () => unknown) => boolean) => void): Shown {
    // A field may be named __proto__.
    const shown = Object.create(null) as Record<string, Shown>;
    each((key, read) => {
      if (this.#left <= 0) {
        shown['…'] = 'more';
        return false;
      }
      this.#left -= key.length;
      shown[key] = this.#field(`${path}.${key}`, read);
      return true;
    });
    return tag === null ? shown : { [tag]: shown };
  }

  #field(path: string, read: () => unknown): Shown {
    let value: unknown;
    try {
      value = read();
    } catch {
      return '‹getter threw›';
    }
    return this.show(path, value);
  }

  #text(text: string): string {
    const most = Math.min(mostOfText, Math.max(this.#left, 0));
    this.#left -= Math.min(text.length, most);
    return text.length <= most ? text : `${text.slice(0, most)}… ${text.length - most} more`;
  }
}

/**
 * What is told of something that was thrown, which may be anything.
 *
 * @param most characters of each text
 */
export function errorText(error: unknown, path: string, redact: Redact, most: number = mostOfText): ErrorText {
  const { name, message, code, stack } = fieldsOf(error);
  const text = (field: string, value: unknown): string =>
    redactedText(redact, `${path}.${field}`, String(value).slice(0, mostOfText)).slice(0, most);
  return {
    name: text('name', typeof name === 'string' ? name : 'Error'),
    message: text('message', message ?? ''),
    code: typeof code === 'string' || typeof code === 'number' ? text('code', code) : null,
    stack: typeof stack === 'string' ? text('stack', ownFrames(stack)) : null,
  };
}

function fieldsOf(error: unknown): { name?: unknown; message?: unknown; code?: unknown; stack?: unknown } {
  if (typeof error !== 'object' || error === null) {
    return { name: 'thrown', message: String(error) };
  }
  const read = (name: string): unknown => {
    try {
      const value = (error as Record<string, unknown>)[name];
      return typeof value === 'object' ? undefined : value;
    } catch {
      return undefined;
    }
  };
  return { name: read('name'), message: read('message'), code: read('code'), stack: read('stack') };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function keyText(key: unknown): string {
  return typeof key === 'string' ? key : typeof key === 'object' && key !== null ? hidden : String(key);
}
