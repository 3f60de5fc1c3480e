import type { ErrorText, EventDetails, EventRecord, Shown } from '../basics/records.ts';
import { byId, type Child, element, fill, table, time } from './dom.ts';
import { durationOf, stateOf } from './filter.ts';
import { placeName, showLanes } from './lanes.ts';
import type { Store } from './store.ts';

/** Events of a tree that are drawn. */
const mostDrawn = 200;

/** The event that is open. */
export class Details {
  readonly #store: Store;
  readonly #open: (id: string) => void;
  readonly #place = byId('details');
  #id: string | null = null;
  #write = false;
  #pid = -1;
  #known: EventDetails | null = null;
  #note = '';
  /** What is on the page: it is made again only if it has changed, so that a text can be marked. */
  #shown: EventRecord | null = null;
  readonly #lanes = element('div', { class: 'lanes' });
  /** Of the event that is open; made once for it. */
  #actions = element('p', {});

  /** @param open for links to other events */
  constructor(store: Store, open: (id: string) => void) {
    this.#store = store;
    this.#open = open;
    fill(this.#place, [element('p', { class: 'quiet' }, 'Choose an event to see what became of it.')]);
  }

  set program({ pid, write }: { readonly pid: number; readonly write: boolean }) {
    this.#pid = pid;
    this.#write = write;
  }

  get id(): string | null {
    return this.#id;
  }

  open(id: string): void {
    this.#id = id;
    this.#known = null;
    this.#note = '';
    this.#shown = null;
    this.#actions = element('p', {}, this.#copyButton(id), ' ', this.#write ? this.#dispatchButton(id) : null);
    this.show();
    void this.#load(id);
  }

  close(): void {
    this.#id = null;
    this.#shown = null;
    fill(this.#place, [element('p', { class: 'quiet' }, 'Choose an event to see what became of it.')]);
  }

  /** As things are now. */
  show(): void {
    const event = this.#id === null ? undefined : this.#store.events.get(this.#id);
    if (event === undefined) return;
    const wasOpen = this.#shown !== null && this.#shown.done === null;
    if (event !== this.#shown) {
      this.#shown = event;
      fill(this.#place, this.#parts(event));
      // Its results have come since it was asked for.
      if (wasOpen && event.done !== null) void this.#load(event.id);
    }
    const tree = this.#store.tree(event.id, mostDrawn);
    showLanes(this.#lanes, tree, this.#pid);
  }

  async #load(id: string): Promise<void> {
    const response = await fetch(`/event?id=${encodeURIComponent(id)}`).catch(() => null);
    if (this.#id !== id) return;
    if (response?.ok === true) this.#known = (await response.json()) as EventDetails;
    else this.#note = 'Payload and results are not held any more.';
    this.#shown = null;
    this.show();
  }

  #parts(event: EventRecord): Child[] {
    const { id, type, path, parent, calls } = event;
    const children = [...(this.#store.children.get(id) ?? [])];
    return [
      element(
        'h2',
        {},
        `${type} #${id.slice(-4)} `,
        element('small', {}, `${stateOf(event)}, ${time(durationOf(event))}, ${path.join(' → ') || event.bus}`),
      ),
      this.#lanes,
      element('table', { class: 'calls' }, ...callTable(event, this.#pid)),
      ...calls.map(({ id: call, error, handler }) => {
        // What was told at once may be cut.
        const whole = this.#known?.results.find((result) => result.id === call)?.error ?? error;
        return whole === null ? null : errorBlock(handler, whole);
      }),
      element('h3', {}, 'Payload'),
      this.#known === null
        ? element('p', { class: 'quiet' }, this.#note)
        : element('pre', { class: 'payload' }, textOf(this.#known.payload)),
      ...this.#results(event),
      element('p', {}, ...this.#links(parent, children)),
      this.#actions,
      element('p', { class: 'quiet' }, id),
    ];
  }

  #results({ calls }: EventRecord): Child[] {
    const results = this.#known?.results ?? [];
    return results.flatMap(({ id, value, error }) => {
      if (error !== null) return [];
      const handler = calls.find((call) => call.id === id)?.handler ?? 'a handler';
      return [element('h3', {}, `Result of ${handler}`), element('pre', { class: 'result' }, textOf(value))];
    });
  }

  #links(parent: string | null, children: readonly string[]): Child[] {
    const link = (id: string, text: string): Child => {
      const button = element('button', { type: 'button' }, text);
      button.addEventListener('click', () => this.#open(id));
      return button;
    };
    const known = children.flatMap((id) => this.#store.events.get(id) ?? []).slice(0, 50);
    return [
      parent !== null && this.#store.events.has(parent) ? link(parent, '↑ parent') : null,
      ...known.flatMap((child) => [' ', link(child.id, `${child.type} #${child.id.slice(-4)}`)]),
    ];
  }

  #copyButton(id: string): Child {
    const button = element('button', { type: 'button' }, 'Copy as JSON');
    button.addEventListener('click', () => {
      const text = JSON.stringify({ ...this.#store.events.get(id), ...this.#known }, null, 2);
      void navigator.clipboard.writeText(text).then(() => {
        button.textContent = 'Copied';
      });
    });
    return button;
  }

  #dispatchButton(id: string): Child {
    const button = element('button', { type: 'button', id: 'dispatch' }, 'Dispatch again');
    button.addEventListener('click', () => {
      const headers = { 'content-type': 'application/json' };
      void fetch('/dispatch', { method: 'POST', headers, body: JSON.stringify({ id }) }).then(async (response) => {
        const answer = (await response.json()) as { readonly refused?: string };
        button.textContent = answer.refused ?? 'Dispatched';
      });
    });
    return button;
  }
}

function callTable({ calls }: EventRecord, mainPid: number): readonly HTMLElement[] {
  return table(
    ['handler', 'where', 'waited', 'ran', 'status'],
    calls.map((call) => [
      `${call.bus}.${call.handler}`,
      placeName(call, mainPid),
      call.called === null ? '' : time((call.started ?? call.ended ?? Date.now()) - call.called),
      call.started === null ? '' : time((call.ended ?? Date.now()) - call.started),
      call.status,
    ]),
  );
}

function errorBlock(handler: string, { name, message, code, stack }: ErrorText): HTMLElement {
  const head = `${name}${code === null ? '' : ` (${code})`}: ${message}`;
  return element(
    'div',
    {},
    element('h3', { class: 'bad' }, `Error of ${handler}`),
    element('pre', { class: 'error' }, stack === null || stack === '' ? head : `${head}\n\n${stack}`),
  );
}

function textOf(value: Shown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}
