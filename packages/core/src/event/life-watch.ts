/** Who is told that an event is complete in this thread, and on which bus it was first; null while there is nobody. */
export const lifeWatch: { completed: ((event: object, bus: object | undefined) => void) | null } = { completed: null };
