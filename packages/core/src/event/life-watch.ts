/** Events that were complete and were handed to a further bus: few, and told of once only. */
export const reopened: WeakSet<object> = new WeakSet();

/** Who is told that an event is complete in this thread, and on which bus it was first; null while there is nobody. */
export const lifeWatch: { completed: ((event: object, bus: object | undefined) => void) | null } = { completed: null };
