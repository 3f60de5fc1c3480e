/**
 * How deep objects in a value may be nested.
 *
 * Structured clone needs stack for each level, on both sides. A thread that has more of it than the other would send
 * what that one can't read, and with the frame all that is in it would be lost: so the sender keeps to a depth that
 * everyone can read. (With Node's usual stack a main thread reads 1,900 levels of objects; its threads have more.)
 */
export const maxNesting = 1000;

/** Node 20 can't read an error that is within its own cause. */
const endless = Number.parseInt(process.versions.node) < 22;

/** What is said of a value that is deeper. */
export const tooDeep: string = `nested more than ${maxNesting} levels deep${endless ? ', or an error within its own cause' : ''}`;

/** Up to here objects aren't remembered: most values are trees, and small. */
const unremembered = 1000;
/** A sparse array may have any length. */
const longest = 100_000;

/**
 * Whether objects are nested deeper than so many levels in it. Never throws and needs no stack, whatever the value is.
 *
 * It visits objects in the order in which structured clone does, which copies an object that it meets again at once. But
 * for an error within its own cause, on Node 20: nobody can read that, so its nesting has no end.
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
  /** From the root to the value that is looked at. */
  const path: object[] = [];
  let visited = 0;
  for (let value = values.pop(); value !== undefined; value = values.pop()) {
    const depth = depths.pop() as number;
    visited += 1;
    path.length = depth - 1;
    if (remembers || visited > unremembered) {
      if (seen.has(value)) {
        if (endless && value instanceof Error && path.includes(value)) return true;
        continue;
      }
      seen.add(value);
    }
    path.push(value);
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
  // Of its other fields none is cloned.
  if (value instanceof Error) return Object.hasOwn(value, 'cause') ? [value.cause] : [];
  return Object.values(value) as unknown[];
}
