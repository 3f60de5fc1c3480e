import { Details } from './details.ts';
import { byId, fill } from './dom.ts';
import { filterOf, stateOf } from './filter.ts';
import { mostRows, rowsOf } from './list.ts';
import { showOverview } from './overview.ts';
import { Store } from './store.ts';
import { listen } from './stream.ts';

/** Milliseconds between two paintings, however much comes. */
const pace = 150;

const store = new Store();
const details = new Details(store, (id) => choose(id));
const list = byId('list');
const filter = byId('filter') as HTMLInputElement;
const pause = byId('pause');
const trouble = byId('trouble');
const state = byId('state');

let isPaused = false;
let onlyTrouble = false;
let mainPid = -1;
let chosen: string | null = null;
let ids: readonly string[] = [];
let timer: number | null = null;

listen({
  hello({ pid, title, node, write }) {
    mainPid = pid;
    details.program = { pid, write };
    byId('program').textContent = `· ${title} · pid ${pid} · Node.js ${node}`;
    document.title = `${title} · threadbus inspector`;
    paintSoon();
  },
  batch(batch) {
    store.add(batch);
    paintSoon();
  },
  missed(events) {
    store.missed += events;
  },
  state(now) {
    state.textContent = now === 'live' ? 'live' : 'the program does not answer';
    state.className = now;
  },
});

function paintSoon(): void {
  if (!isPaused) timer ??= window.setTimeout(paint, pace);
}

function paint(): void {
  timer = null;
  paintList();
  details.show();
  showOverview(store, mainPid);
}

function paintList(): void {
  const fits = filterOf(filter.value);
  const isShown = (event: Parameters<typeof fits>[0]): boolean =>
    fits(event) && (!onlyTrouble || stateOf(event) === 'failed' || stateOf(event) === 'lost');
  const { ids: inOrder, elements } = rowsOf(store.latest(isShown, mostRows), chosen);
  ids = inOrder;
  fill(list, elements);
  if (chosen !== null && ids.includes(chosen)) list.setAttribute('aria-activedescendant', `event-${chosen}`);
  else list.removeAttribute('aria-activedescendant');
  const { seen, skipped, missed, untold, share } = store;
  const parts = [`${seen.toLocaleString('en')} seen`];
  if (skipped > 0) parts.push(`${skipped.toLocaleString('en')} not shown`);
  if (untold > 0) parts.push(`${untold.toLocaleString('en')} failed calls not shown`);
  if (missed > 0) parts.push(`${missed.toLocaleString('en')} changes missed by this page`);
  byId('counts').textContent = parts.join(', ');
  byId('share').textContent = share.text;
}

function choose(id: string): void {
  chosen = id;
  details.open(id);
  paintList();
  document.getElementById(`event-${id}`)?.scrollIntoView({ block: 'nearest' });
}

/** The row that is so many below the one that is chosen. */
function move(by: number): void {
  const at = chosen === null ? -1 : ids.indexOf(chosen);
  const next = ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))];
  if (next !== undefined) choose(next);
}

function setPaused(paused: boolean): void {
  isPaused = paused;
  pause.setAttribute('aria-pressed', String(paused));
  pause.textContent = paused ? 'Go on' : 'Pause';
  if (!paused) paintSoon();
}

function setTrouble(only: boolean): void {
  onlyTrouble = only;
  trouble.setAttribute('aria-pressed', String(only));
  paintList();
}

/** A row may be made anew before the button is up again, and then there is no click; who can't point makes nothing else. */
for (const kind of ['mousedown', 'click'] as const) {
  list.addEventListener(kind, (event) => {
    const id = (event.target as Element).closest<HTMLElement>('[data-id]')?.dataset['id'];
    if (id !== undefined && id !== chosen && event.button === 0) choose(id);
  });
}
list.addEventListener('keydown', (event) => {
  const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, j: 1, k: -1 };
  const by = moves[event.key];
  if (by !== undefined) {
    event.preventDefault();
    move(by);
  } else if (event.key === 'Enter' && chosen !== null) byId('details').focus();
});
filter.addEventListener('input', paintList);
pause.addEventListener('click', () => setPaused(!isPaused));
trouble.addEventListener('click', () => setTrouble(!onlyTrouble));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    chosen = null;
    details.close();
    paintList();
    list.focus();
    return;
  }
  if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') {
    event.preventDefault();
    filter.focus();
  } else if (event.key === 'p') setPaused(!isPaused);
  else if (event.key === 'e') setTrouble(!onlyTrouble);
});
