/** A set that mostly has no member or one, which it then is itself: no object until the second. */
export type SmallSet<T extends object> = T | Set<T> | null;

/** @returns what the set is with the member */
export function withMember<T extends object>(set: SmallSet<T>, member: T): SmallSet<T> {
  if (set === null || set === member) return member;
  return set instanceof Set ? set.add(member) : new Set([set, member]);
}

/** @returns what the set is without the member */
export function withoutMember<T extends object>(set: SmallSet<T>, member: T): SmallSet<T> {
  if (set === member) return null;
  if (set instanceof Set) set.delete(member);
  return set;
}

export function hasMember<T extends object>(set: SmallSet<T>, member: T): boolean {
  return set === member || (set instanceof Set && set.has(member));
}

export function isEmpty<T extends object>(set: SmallSet<T>): boolean {
  return set === null || (set instanceof Set && set.size === 0);
}

/** In the order in which they were added; members may be taken out meanwhile. */
export function membersOf<T extends object>(set: SmallSet<T>): Iterable<T> {
  if (set === null) return [];
  return set instanceof Set ? set : [set];
}
