import { basename } from 'node:path';
import { redactByDefault, redacted, type Redact } from './basics/redact.ts';
import { type Hiding, Hub } from './hub/hub.ts';
import { checkInspectOptions, type InspectOptions } from './options.ts';
import { PageServer } from './server/page-server.ts';
import { newToken } from './server/token.ts';

/** A page that is being served. */
export interface Inspector extends AsyncDisposable {
  /** Where to open it, with its token: whoever has that sees what the program does. */
  readonly url: string;
  /** Ends the page, and all that watches for it. Closing twice does no harm. */
  close(): Promise<void>;
}

interface Opened {
  readonly options: Required<{ [Name in keyof InspectOptions]: unknown }>;
  readonly inspector: Promise<Inspector>;
}

/** One for this thread. */
let opened: Opened | null = null;

/**
 * Opens a page on loopback that shows what the buses, pools, threads and processes of this one do.
 *
 * Nothing is watched, in any thread, unless somebody has the page open; then at most 2,000 records a second are taken.
 * Of more events than that the page shows a sample of whole trees, and of failures as many as fit. It keeps no process
 * alive. A second call with the same options gives the same page.
 *
 * @returns the page, once it can be opened
 * @throws TypeError or RangeError for options that make no sense, or that differ from those of the page that is open;
 *   Error if `NODE_ENV` is `production` and that isn't allowed, and with code `EADDRINUSE` for a port that is taken
 * @example
 * ```ts
 * const inspector = await inspect({ port: 7070 });
 * console.error(inspector.url);   // http://127.0.0.1:7070/?token=…
 * ```
 */
export async function inspect(options: InspectOptions = {}): Promise<Inspector> {
  checkInspectOptions(options);
  const { port = 0, redact, write = false, allowProduction = false } = options;
  if (process.env['NODE_ENV'] === 'production' && !allowProduction) {
    throw new Error(
      'The inspector shows payloads, and is not opened with NODE_ENV=production. If that is meant: inspect({ allowProduction: true }).',
    );
  }
  const wanted = { port, redact: redact instanceof URL ? redact.href : redact, write, allowProduction };
  if (opened !== null) {
    const { options: had } = opened;
    const differs = (['port', 'redact', 'write', 'allowProduction'] as const).find(
      (name) => had[name] !== wanted[name],
    );
    if (differs === undefined) return opened.inspector;
    throw new TypeError(
      `The inspector of this thread is open already, with another ${differs}. Close it first, or call inspect() with the same options.`,
    );
  }
  const inspector = hidingOf(redact).then((hiding) => open(port, hiding, write));
  const mine = { options: wanted, inspector };
  opened = mine;
  inspector.catch(() => forget(mine));
  return inspector;
}

function forget(which: Opened): void {
  if (opened === which) opened = null;
}

async function open(port: number, hiding: Hiding, write: boolean): Promise<Inspector> {
  const token = newToken();
  const title = basename(process.argv[1] ?? 'node');
  const greeting = { pid: process.pid, title, node: process.versions.node, write };
  const server = await PageServer.listen({ hub: new Hub(hiding), token, greeting }, port);
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    if (closed === null) {
      opened = null;
      closed = server.close();
    }
    await closed;
  };
  return {
    url: `http://127.0.0.1:${server.port}/?token=${token}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function hidingOf(redact: Redact | URL | undefined): Promise<Hiding> {
  if (redact === undefined) return { here: redactByDefault, fromElsewhere: null, module: null };
  if (typeof redact === 'function') {
    const checked: Redact = (path, value) => redacted(redact, path, value);
    return { here: checked, fromElsewhere: checked, module: null };
  }
  const { default: loaded } = (await import(redact.href)) as { readonly default: unknown };
  if (typeof loaded !== 'function') {
    throw new TypeError(`Expected ${redact.href}, the redact of inspect, to have a function as its default export.`);
  }
  return { here: loaded as Redact, fromElsewhere: null, module: redact.href };
}
