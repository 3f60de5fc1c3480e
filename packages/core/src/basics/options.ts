import { describe } from './describe.ts';
import { didYouMean } from './did-you-mean.ts';

/**
 * Checks that options are an object and hold nothing else than the call knows: a mistyped `timeout` would otherwise be
 * a wait without end.
 *
 * @throws TypeError
 */
export function checkOptions(call: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    const inside = typeof options === 'number' && names.includes('timeout') ? ` Write { timeout: ${options} }.` : '';
    throw new TypeError(
      `Expected the options of ${call.replace(/^A /, 'a ')} to be an object; got ${describe(options)}.${inside}`,
    );
  }
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong !== undefined) throw new TypeError(noOption(call, wrong, names));
}

/** What there is no such option says: which there are, and which of them may have been meant. */
export function noOption(call: string, wrong: string, names: readonly string[]): string {
  return `${call} has no option '${wrong}'. It has: ${names.join(', ')}.${optionMeant(wrong, names)}`;
}

/** A question, if a name looks like what was meant, or it is a part of one or two, as `threads` is. */
export function optionMeant(wrong: string, names: readonly string[]): string {
  const text = plain(wrong);
  const alike = names.filter((name) => isPart(text, plain(name)) || isPart(plain(name), text));
  if (alike.length === 0 || alike.length > 2) return didYouMean(wrong, names);
  return ` Did you mean ${alike.map((name) => `'${name}'`).join(' or ')}?`;
}

function isPart(part: string, whole: string): boolean {
  return part.length > 3 && whole.includes(part);
}

/** Without what is easily written differently: `max_pending`, `retry` for `retries`. */
function plain(name: string): string {
  return name
    .replaceAll(/[^a-zA-Z0-9]/g, '')
    .toLowerCase()
    .replace(/ies$/, 'y')
    .replace(/s$/, '');
}

/** @throws TypeError */
export function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`Expected ${name} to be true or false; got ${describe(value)}.`);
  }
}

/** @throws TypeError */
export function checkFilter(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`Expected ${name} to be a function; got ${describe(value)}.`);
  }
}

/** @throws TypeError */
export function checkSignal(value: unknown): void {
  if (value === undefined) return;
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return;
  throw new TypeError(`Expected signal to be an AbortSignal; got ${describe(value)}.`);
}

/**
 * What a filter says of something; true if there is none.
 *
 * @throws TypeError for one that answers later, whose promise would pass for a yes; what the filter throws
 */
export function passes<T>(name: string, filter: ((value: T) => boolean) | undefined, value: T): boolean {
  if (filter === undefined) return true;
  const answer: unknown = filter(value);
  if (!silenced(answer)) return Boolean(answer);
  throw new TypeError(
    `Expected ${name} to answer true or false at once; it returned a promise, as an async function does. Look up what it needs beforehand, or ask about the event once you have it.`,
  );
}

/** Whether something is a promise, or the like; nobody hears if it rejects. */
export function silenced(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('then' in value) || typeof value.then !== 'function')
    return false;
  Promise.resolve(value as PromiseLike<unknown>).catch(() => undefined);
  return true;
}
