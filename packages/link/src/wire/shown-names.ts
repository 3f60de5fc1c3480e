/** Names that buses elsewhere have on this side, by id: only of those that are called otherwise where they live. */
const shown = new Map<string, string>();

/**
 * From now on that bus has that name on this side, in paths and results that come over any link.
 *
 * @returns takes it back
 */
export function showNameAs(id: string, name: string): () => void {
  shown.set(id, name);
  return () => {
    if (shown.get(id) === name) shown.delete(id);
  };
}

/** The name that a bus has on this side. */
export function shownName(id: string | null, name: string): string {
  return shown.size === 0 || id === null ? name : (shown.get(id) ?? name);
}
