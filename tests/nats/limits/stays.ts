/** A stay in a slot, in microseconds of the machine's monotonic clock. */
export interface Stay {
  readonly token: number;
  /** Which process. */
  readonly holder: number;
  readonly asked: number;
  readonly from: number;
  /** Until when it was inside: it said so, or it was killed then. */
  readonly to: number;
  /** It knew at its end that the slot was lost. */
  readonly knew: boolean;
}

/**
 * Moments at which more were inside than may be, and none of those who had lost their slot knew it in the end.
 *
 * Whoever has lost a slot and knows it has overlapped with the next as is allowed: so those who don't know it are never
 * more than the limit.
 */
export function unknownOverlaps(stays: readonly Stay[], limit: number): readonly Stay[][] {
  const unknowing = stays.filter(({ knew }) => !knew);
  return unknowing
    .map(({ from }) => unknowing.filter((other) => other.from <= from && from < other.to))
    .filter((inside) => inside.length > limit);
}

/** Pairs of stays of which the later was asked for when the earlier had begun, and whose tokens don't rise. */
export function fallenTokens(stays: readonly Stay[]): readonly (readonly [Stay, Stay])[] {
  const order = [...stays].sort((a, b) => a.from - b.from);
  const fallen: (readonly [Stay, Stay])[] = [];
  let highest: Stay | null = null;
  let next = 0;
  for (const stay of [...stays].sort((a, b) => a.asked - b.asked)) {
    for (; next < order.length && (order[next] as Stay).from < stay.asked; next += 1) {
      const begun = order[next] as Stay;
      if (highest === null || begun.token > highest.token) highest = begun;
    }
    if (highest !== null && highest.token >= stay.token) fallen.push([highest, stay]);
  }
  return fallen;
}
