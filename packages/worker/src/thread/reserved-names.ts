/** How many live copies of each entry file there are, by the number of their name's suffix. */
const copies = new Map<string, Set<number>>();

/** A suffix that makes the name of a further copy of an entry file unique. */
export interface ReservedSuffix extends Disposable {
  /** Empty for the first copy, then _2, _3, … */
  readonly suffix: string;
}

/** Reserves a suffix for one copy of an entry file; it is free again once disposed. */
export function reserveSuffix(entry: string): ReservedSuffix {
  const taken = copies.get(entry) ?? new Set();
  copies.set(entry, taken);
  let number = 1;
  while (taken.has(number)) number += 1;
  taken.add(number);
  return {
    suffix: number === 1 ? '' : `_${number}`,
    [Symbol.dispose]: () => {
      taken.delete(number);
      if (taken.size === 0) copies.delete(entry);
    },
  };
}
