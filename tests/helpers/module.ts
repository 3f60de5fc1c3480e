/** A module with that text, for a thread to load. */
export function moduleOf(text: string): string {
  return `data:text/javascript,${encodeURIComponent(text)}`;
}
