/** Stands for every type. */
export const anyType = '*';
const below = '.*';

/** `user.*` stands for all types under `user.`, at any depth; as a prefix: `user.`. @returns null if it is no such pattern */
export function prefixOf(key: string): string | null {
  return key.length > below.length && key.endsWith(below) ? key.slice(0, -1) : null;
}

/** Whether events of the type are among those that the pattern stands for. */
export function matchesType(key: string, type: string): boolean {
  if (key === anyType || key === type) return true;
  const prefix = prefixOf(key);
  return prefix !== null && type.startsWith(prefix);
}

/** The prefixes of a type under which patterns may be registered, the longest first: of `a.b.c` it is `a.b.`, `a.`. */
export function* prefixesOf(type: string): Iterable<string> {
  for (let dot = type.lastIndexOf('.'); dot > 0; dot = type.lastIndexOf('.', dot - 1)) yield type.slice(0, dot + 1);
}
