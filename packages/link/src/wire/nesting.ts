/**
 * How deep objects in a value may be nested.
 *
 * Structured clone needs stack for each level, on both sides. A thread that has more of it than the other would send
 * what that one can't read, and with the frame all that is in it would be lost: so the sender keeps to a depth that
 * everyone can read. (With Node's usual stack a main thread reads 1,900 levels of objects; its threads have more.)
 */
export const maxNesting = 1000;

/** Up to here objects aren't remembered: most values are trees, and small. */
const unremembered = 1000;
/** A sparse array may have any length. */
const longest = 100_000;

/**
 * Whether objects are nested deeper than so many levels in it. Never throws and needs no stack, whatever the value is.
 *
 * It visits objects in the order in which structured clone does, which copies an object that it meets again at once.
 */
export function isNestedDeeper(value: unknown, levels: number = maxNesting): boolean {
  if (typeof value !== 'object' || value === null) return false;
  try {
    if (levels > 1 && !membersOf(value).some(isObject)) return false;
    // What refers to itself looks endless until objects are remembered.
    return exceeds(value, levels, false) && exceeds(value, levels, true);
  } catch {
    // A getter or a proxy has thrown: cloning will say so.
    return false;
  }
}

function exceeds(root: object, levels: number, remembers: boolean): boolean {
  const seen = new Set<object>();
  const values: object[] = [root];
  const depths: number[] = [1];
  let visited = 0;
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    const depth = depths.pop() as number;
    visited += 1;
    if (remembers || visited > unremembered) {
      if (seen.has(value)) continue;
      seen.add(value);
    }
    if (depth > levels) return true;
    const members = membersOf(value);
    for (let at = members.length - 1; at >= 0; at -= 1) {
      const member = members[at];
      if (typeof member !== 'object' || member === null) continue;
      values.push(member);
      depths.push(depth + 1);
    }
  }
  return false;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function membersOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value.length > longest ? Object.values<unknown>(value) : value;
  if (ArrayBuffer.isView(value)) return [];
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (value instanceof Error && Object.hasOwn(value, 'cause'))
    return [...(Object.values(value) as unknown[]), value.cause];
  return Object.values(value) as unknown[];
}
