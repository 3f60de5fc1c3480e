/** What the pool's threads have to know beside the events. */
export interface Settings {
  /** Minifications at once, over all processes of the machine. */
  readonly limit: number;
  /** Where minifications are noted; null = nowhere. */
  readonly logPath: string | null;
}

/** The name under which all processes share the slots for minifications. */
export const minificationSlots = 'threadbus-weigh';

/** The handler's module with its settings: a module knows its URL, and each URL is a module of its own. */
export function weighFileUrl({ limit, logPath }: Settings): URL {
  const url = new URL('./weigh-file.js', import.meta.url);
  url.searchParams.set('limit', String(limit));
  if (logPath !== null) url.searchParams.set('log', logPath);
  return url;
}

/** The settings in the URL of the handler's module. */
export function readSettings(moduleUrl: string): Settings {
  const { searchParams } = new URL(moduleUrl);
  const limit = Number(searchParams.get('limit'));
  if (!Number.isInteger(limit) || limit < 1) {
    throw new TypeError(`Expected ${moduleUrl} to end with ?limit=N, as weighFileUrl() makes it.`);
  }
  return { limit, logPath: searchParams.get('log') };
}
