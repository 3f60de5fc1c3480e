import { shown } from './seconds.ts';

/**
 * Checks that options are an object and hold nothing else than the call knows: a mistyped `timeout` would otherwise be
 * a wait without end.
 *
 * @throws {TypeError}
 */
export function checkOptions(call: string, options: unknown, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Expected the options of ${call} to be an object, got ${shown(options)}.`);
  }
  const wrong = Object.keys(options).find((name) => !names.includes(name));
  if (wrong === undefined) return;
  throw new TypeError(`Expected options that ${call} has, got \`${wrong}\`.${hint(wrong, names)}`);
}

/** @throws {TypeError} */
export function checkSignal(name: string, value: unknown): void {
  if (value === undefined) return;
  const { aborted, addEventListener } = (value ?? {}) as Partial<AbortSignal>;
  if (typeof aborted === 'boolean' && typeof addEventListener === 'function') return;
  throw new TypeError(`Expected \`${name}\` to be an AbortSignal, got ${shown(value)}.`);
}

/** What was meant, if one of the names looks like it or has it as a part, as `backoff`; else which there are. */
function hint(wrong: string, names: readonly string[]): string {
  const [part, other] = names.filter((name) => wrong.length > 3 && plain(name).includes(plain(wrong)));
  if (part !== undefined && other === undefined) return ` Did you mean \`${part}\`?`;
  let best: string | undefined;
  let least = Math.max(2, Math.floor(wrong.length / 4)) + 1;
  for (const name of names) {
    const distance = edits(plain(wrong), plain(name));
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best === undefined ? ` There are: ${names.join(', ')}.` : ` Did you mean \`${best}\`?`;
}

/** Without what is easily written differently: `semaphore_limit`, `retry` for `retries`. */
const plain = (name: string): string =>
  name
    .replaceAll(/[^a-zA-Z0-9]/g, '')
    .toLowerCase()
    .replace(/ies$/, 'y')
    .replace(/s$/, '');

/** How many characters must be added, removed or changed to make one of the other. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
