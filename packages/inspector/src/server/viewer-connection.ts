import type { ServerResponse } from 'node:http';
import type { Batch, Greeting } from '../basics/batch.ts';
import type { Viewer } from '../hub/hub.ts';

/** Bytes that a page may leave unread. */
const mostUnsent = 1024 * 1024;
/** Milliseconds after which one that reads nothing is let go; a page comes back by itself. */
const mostLag = 30_000;
/** Milliseconds without news after which something is sent, so that a page that is gone is noticed. */
const quiet = 15_000;

/** What the hub has for a connection. */
export interface ViewerSource {
  /** All that there is to see now. */
  readonly picture: Batch;
  join(viewer: Viewer): void;
  leave(viewer: Viewer): void;
}

/**
 * One page's stream of server-sent events.
 *
 *   reading ──more than a megabyte unsent──▶ lagging ──all of it has left──▶ reading, with a fresh picture
 *      │                                        └──half a minute──▶ gone
 *      └──the page, or the server, closes──▶ gone
 *
 * *reading* gets each batch as it is made, as text that all viewers share. *lagging* gets nothing: what it misses is
 * counted, not kept, so that a page that doesn't read costs a megabyte and no more; the picture that follows has what is
 * to be seen then. *gone* is told to the hub once.
 */
export class ViewerConnection implements Viewer {
  readonly #response: ServerResponse;
  readonly #source: ViewerSource;
  #state: 'reading' | 'lagging' | 'gone' = 'reading';
  #missed = 0;
  #lagTimer: NodeJS.Timeout | null = null;
  readonly #quietTimer: NodeJS.Timeout;

  constructor(response: ServerResponse, greeting: Greeting, source: ViewerSource) {
    this.#response = response;
    this.#source = source;
    response.on('close', () => this.close());
    response.on('drain', () => this.#caughtUp());
    this.#quietTimer = setInterval(() => this.#write(':\n\n'), quiet).unref();
    // A browser that has lost the stream tries again after so many milliseconds.
    this.#write('retry: 1000\n\n');
    source.join(this);
    this.#send('hello', greeting);
    this.#send('picture', source.picture);
  }

  show(batch: Batch): void {
    if (this.#state === 'gone') return;
    if (this.#state === 'lagging') {
      this.#missed += batch.events.length;
      return;
    }
    this.#write(textOf('batch', batch));
    if (this.#response.writableLength > mostUnsent) this.#lag();
  }

  close(): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    clearInterval(this.#quietTimer);
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer);
    this.#source.leave(this);
    this.#response.destroy();
  }

  #lag(): void {
    this.#state = 'lagging';
    this.#lagTimer = setTimeout(() => this.close(), mostLag).unref();
  }

  #caughtUp(): void {
    if (this.#state !== 'lagging') return;
    this.#state = 'reading';
    if (this.#lagTimer !== null) clearTimeout(this.#lagTimer);
    this.#lagTimer = null;
    this.#send('missed', { events: this.#missed });
    this.#missed = 0;
    this.#send('picture', this.#source.picture);
  }

  #send(kind: string, data: object): void {
    this.#write(textOf(kind, data));
  }

  #write(text: string): void {
    if (this.#state === 'reading' && !this.#response.destroyed) this.#response.write(text);
  }
}

/** Each batch is shown to all viewers: its text is made once, and goes with it. */
const texts = new WeakMap<object, string>();

function textOf(kind: string, data: object): string {
  const known = texts.get(data);
  if (known !== undefined) return known;
  const text = `event: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  texts.set(data, text);
  return text;
}
