/** The JSON of a message. What is none stays text, which is no event either. */
export function parsed(data: Uint8Array): unknown {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** @returns null for what is no event */
export function typeOf(json: unknown): string | null {
  const { event_type: type } = (json ?? {}) as { event_type?: unknown };
  return typeof type === 'string' ? type : null;
}
