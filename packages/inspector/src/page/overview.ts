import { byId, type Child, element, fill, table, time } from './dom.ts';
import { drawSpark } from './spark.ts';
import type { Store } from './store.ts';

/** Cards that are shown; those with the longest queues. */
const mostCards = 24;
const mostThreads = 30;

interface Card {
  readonly key: string;
  readonly name: string;
  readonly where: string;
  readonly text: string;
  readonly waiting: number;
}

/** The numbers of all threads: what is around the list of events. */
export function showOverview(store: Store, mainPid: number): void {
  const cards = cardsOf(store, mainPid);
  const made = cards.slice(0, mostCards).map(({ key, name, where, text }) => {
    const canvas = element('canvas', { 'aria-hidden': 'true' });
    const card = element(
      'div',
      { class: 'card', 'data-name': name },
      element('h3', {}, `${name} `, element('small', {}, where)),
      element('p', {}, text),
      canvas,
    );
    return { card, canvas, points: store.points.get(key) ?? [] };
  });
  const hidden = cards.length - made.length + store.numbers.reduce((sum, { numbers }) => sum + numbers.more, 0);
  fill(byId('overview'), [
    ...made.map(({ card }) => card),
    hidden === 0 ? null : element('p', { class: 'quiet' }, `${hidden.toLocaleString('en')} more with less to do`),
  ]);
  for (const { canvas, points } of made) drawSpark(canvas, points);
  const { edges, slowest } = store.summary;
  fill(
    byId('graph'),
    table(
      ['from', 'to', 'event', 'times'],
      edges.map(({ from, to, type, events }) => [from, to, type, events]),
    ),
  );
  fill(
    byId('slow'),
    table(
      ['handler', 'event', 'p50', 'p95', 'calls', 'failed'],
      slowest.map((each) => [
        `${each.bus}.${each.handler}`,
        each.type,
        time(each.p50),
        time(each.p95),
        each.calls,
        each.failed,
      ]),
    ),
  );
  fill(byId('threads'), threadsOf(store));
}

function cardsOf(store: Store, mainPid: number): Card[] {
  const cards = store.numbers.flatMap(({ pid, thread, numbers }): Card[] => {
    const where = thread === 0 ? (pid === mainPid ? 'main' : `pid ${pid}`) : `thread ${thread}`;
    const key = (name: string): string => `${pid}/${thread}/${name}`;
    return [
      ...numbers.buses.map((bus) => ({
        key: key(`bus ${bus.name}`),
        name: bus.name,
        where,
        text: `queued ${bus.queued}, running ${bus.inProgress}, failed ${bus.failed}`,
        waiting: bus.queued,
      })),
      ...numbers.pools.map((pool, at) => ({
        key: key(`pool ${at}`),
        name: `pool ${at + 1}`,
        where,
        text: `${pool.running} of ${pool.threads} at work, ${pool.waiting} waiting${
          pool.waitTime === null ? '' : `, p99 ${time(pool.waitTime.p99 * 1000)}`
        }`,
        waiting: pool.waiting,
      })),
    ];
  });
  if (cards.length <= mostCards) return cards;
  return cards.sort((a, b) => b.waiting - a.waiting);
}

/** Newest first; who was ended for what it did is said so. */
function threadsOf({ threads }: Store): Child[] {
  return [...threads]
    .slice(-mostThreads)
    .reverse()
    .map(({ at, start, end }) => {
      const who = `${start.name} ${start.threadId > 0 ? `thread ${start.threadId}` : `pid ${start.pid}`}`;
      const lost = end !== null && end.lost > 0 ? `, ${end.lost} events lost` : '';
      const what = end === null ? 'started' : `${end.reason}${lost}`;
      const isBad = end !== null && end.reason !== 'stopped' && end.reason !== 'idle';
      const moment = new Date(at).toLocaleTimeString();
      return element('li', isBad ? { class: 'bad' } : {}, `${moment} ${who}: ${what}`);
    });
}
