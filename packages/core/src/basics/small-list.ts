/** A list that mostly has one member, which it then is itself: no array until the second. No member may be an array. */
export type SmallList<T extends object> = T | readonly T[];

/** All members as an array. */
export function listOf<T extends object>(list: SmallList<T>): readonly T[] {
  return isArray(list) ? list : [list];
}

/** The member at `index`, which the list must have. */
export function memberAt<T extends object>(list: SmallList<T>, index: number): T {
  return isArray(list) ? (list[index] as T) : list;
}

/** It has no member. */
export function isEmptyList<T extends object>(list: SmallList<T>): boolean {
  return isArray(list) && list.length === 0;
}

function isArray<T extends object>(list: SmallList<T>): list is readonly T[] {
  return Array.isArray(list);
}
