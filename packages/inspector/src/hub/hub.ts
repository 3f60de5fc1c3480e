import { randomBytes } from 'node:crypto';
import { Agent } from '../agent/agent.ts';
import { announce } from '../agent/announce.ts';
import type { Batch, Summary, ThreadNews } from '../basics/batch.ts';
import type { AgentCall, Answer, Order, Report } from '../basics/messages.ts';
import { redactedText, type Redact } from '../basics/redact.ts';
import { clock, type ErrorText, type EventRecord } from '../basics/records.ts';
import { Showing } from '../basics/show.ts';
import { Agents, type AgentState } from './agents.ts';
import { EventStore } from './store.ts';
import { summarize } from './summary.ts';

/** Milliseconds between what viewers are told; the numbers of all threads go with every fifth, a summary
 * is made each three seconds, or in longer whiles if it takes long. */
const beat = 100;
const numbersTime = 500;
const summaryTime = 3000;
const mostOfTime = 0.01;
/** Events that a viewer is told of when it begins, or has missed some. */
const firstEvents = 500;
const firstBytes = 512 * 1024;
/** Starts and ends of threads that are remembered. */
const mostThreadNews = 100;

/** Whoever looks. */
export interface Viewer {
  show(batch: Batch): void;
}

/** How values are hidden: by a function here, by a module everywhere, or as is the default. */
export interface Hiding {
  readonly here: Redact;
  /** Applied to what other threads tell, beside what they have hidden themselves. */
  readonly fromElsewhere: Redact | null;
  /** What they are to load; null = they hide what is hidden by default. */
  readonly module: string | null;
}

/**
 * What a page shows, put together of what the agents of all threads report.
 *
 *   idle ──first viewer──▶ looking ──last viewer gone──▶ idle
 *
 * *looking*: this thread has an agent, and with it all threads and processes that it has started or starts from now on,
 * at any depth: each is told port and secret of this time of looking, and connects by itself. So it makes no difference
 * when a thread was started. *idle*: no agent is left, no timer, nothing is registered anywhere; what was seen is kept.
 *
 * - A thread that is told late, as nobody looks any more, comes with a secret that is no longer good, and is refused.
 *   One that is told while its old connection still ends replaces that one.
 * - A thread that dies takes its connection along, in the middle of a report or not: reports are frames, half a frame is
 *   none. What ran there is shown as lost, until another thread tells what became of it: the one that had called does.
 * - A thread that is blocked reports nothing, and is asked for two seconds at most.
 * - Memory: the store's bounds; two megabytes at most between here and each agent, and each viewer.
 */
export class Hub {
  readonly store: EventStore = new EventStore();
  readonly #id = randomBytes(8).toString('hex');
  readonly #hiding: Hiding;
  readonly #agents = new Agents();
  readonly #viewers = new Set<Viewer>();
  readonly #threads: ThreadNews[] = [];
  readonly #changed = new Map<string, EventRecord>();
  /** How to end this time of looking; null while nobody does. */
  #end: (() => void) | null = null;
  /** Of this thread, while somebody looks. */
  #own: Agent | null = null;
  #secret: string | null = null;
  #hasNumbers = false;
  #hasThreads = false;
  #seen = 0;
  #skipped = 0;
  #untold = 0;
  #nextNumbers = 0;
  #nextSummary = 0;
  #lastBeat = 0;

  constructor(hiding: Hiding) {
    this.#hiding = hiding;
  }

  /** What an agent has to say to be let in; null while nobody looks. */
  get secret(): string | null {
    return this.#secret;
  }

  /** @param port where agents of other threads find this hub */
  join(viewer: Viewer, port: number): void {
    this.#viewers.add(viewer);
    if (this.#end === null) this.#look(port);
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.close();
  }

  close(): void {
    this.#viewers.clear();
    const end = this.#end;
    this.#end = null;
    this.#secret = null;
    end?.();
    this.#agents.clear();
    this.#changed.clear();
    this.store.dropOpen();
  }

  /** All that there is to see now. */
  get picture(): Batch {
    return {
      events: this.store.latest(firstEvents, firstBytes),
      seen: 0,
      skipped: 0,
      untold: 0,
      numbers: this.#numbers,
      threads: this.#threads,
      summary: summarize(this.store.records()),
    };
  }

  /** An agent of another thread. @param end closes its connection @returns what it reports goes in there */
  agentJoined(order: (order: Order) => void, end: () => void): { read(report: Report): void; gone(): void } {
    const agent = this.#agents.join(order, end);
    return {
      read: (report) => this.#timed(() => this.#read(agent, this.#hidden(report))),
      gone: () => this.#gone(agent),
    };
  }

  async ask(what: 'details' | 'dispatch', id: string): Promise<Answer> {
    const agents = this.store.get(id)?.agents ?? [];
    return this.#agents.ask(agents, what, id);
  }

  #look(port: number): void {
    const secret = randomBytes(16).toString('base64url');
    this.#secret = secret;
    const call: AgentCall = { hub: this.#id, port, secret, redact: this.#hiding.module };
    const agent = this.#agents.join(
      (order) => this.#own?.receive(order),
      () => own.end(),
    );
    const line = { send: (report: Report) => this.#read(agent, report), isFull: false };
    const own = new Agent(line, call, this.#hiding.here);
    this.#own = own;
    const endAnnouncing = announce(call);
    this.#lastBeat = performance.now();
    const timer = setInterval(() => this.#timed(() => this.#beat()), beat).unref();
    this.#end = () => {
      clearInterval(timer);
      endAnnouncing();
      this.#own = null;
    };
    this.#agents.share();
  }

  #read(agent: AgentState, report: Report): void {
    switch (report.kind) {
      case 'hello':
        agent.place = report.place;
        break;
      case 'batch':
        agent.seen += report.seen;
        this.#seen += report.seen;
        this.#skipped += report.skipped;
        this.#untold += report.untold;
        for (const record of report.records) this.#changed.set(record.id, this.store.add(record, agent.number));
        break;
      case 'numbers':
        agent.numbers = report.numbers;
        this.#hasNumbers = true;
        break;
      case 'thread':
        this.#thread({ at: report.at, start: report.start, end: report.end });
        break;
      case 'answer':
        this.#agents.answered(report);
        break;
      default:
        report satisfies never;
    }
  }

  #thread(news: ThreadNews): void {
    this.#threads.push(news);
    if (this.#threads.length > mostThreadNews) this.#threads.shift();
    this.#hasThreads = true;
  }

  #gone(agent: AgentState): void {
    if (!this.#agents.leave(agent)) return;
    for (const record of this.store.lost(agent.number, agent.place, clock())) this.#changed.set(record.id, record);
    this.#hasNumbers = true;
  }

  get #numbers(): Batch['numbers'] {
    return [...this.#agents.all].flatMap(({ place, numbers }) => (numbers === null ? [] : [{ ...place, numbers }]));
  }

  #beat(): void {
    const isSummary = performance.now() >= this.#nextSummary;
    this.#agents.passed((performance.now() - this.#lastBeat) / 1000);
    this.#lastBeat = performance.now();
    const hasNumbers = this.#hasNumbers && performance.now() >= this.#nextNumbers;
    const isNew = this.#changed.size > 0 || this.#seen > 0 || hasNumbers || this.#hasThreads;
    if (!isNew && !isSummary) return;
    const batch: Batch = {
      events: [...this.#changed.values()],
      seen: this.#seen,
      skipped: this.#skipped,
      untold: this.#untold,
      numbers: hasNumbers ? this.#numbers : null,
      threads: this.#hasThreads ? this.#threads : null,
      summary: isSummary ? this.#summarize() : null,
    };
    this.#changed.clear();
    this.#seen = 0;
    this.#skipped = 0;
    this.#untold = 0;
    if (hasNumbers) {
      this.#hasNumbers = false;
      this.#nextNumbers = performance.now() + numbersTime;
    }
    this.#hasThreads = false;
    for (const viewer of [...this.#viewers]) viewer.show(batch);
  }

  /** What is done here for others counts with what this thread does for its own events. */
  #timed(work: () => void): void {
    const begin = performance.now();
    work();
    this.#own?.took(performance.now() - begin);
  }

  /** Looks at all that is known: so much of the time and no more. */
  #summarize(): Summary {
    const begin = performance.now();
    const summary = summarize(this.store.records());
    const end = performance.now();
    this.#nextSummary = end + Math.max(summaryTime, (end - begin) / mostOfTime);
    return summary;
  }

  /** What another thread tells, without what only the function here knows to hide. */
  #hidden(report: Report): Report {
    const redact = this.#hiding.fromElsewhere;
    if (redact === null) return report;
    if (report.kind === 'batch') return { ...report, records: report.records.map((each) => hideErrors(each, redact)) };
    if (report.kind !== 'answer' || report.answer === null || !('payload' in report.answer)) return report;
    const { payload, results } = report.answer;
    return {
      ...report,
      answer: {
        payload: new Showing(redact).show('event.payload', payload),
        results: results.map((result, index) => ({
          ...result,
          value: new Showing(redact).show(`event.results.${index}.result`, result.value),
          error: hideError(result.error, index, redact),
        })),
      },
    };
  }
}

function hideErrors(record: EventRecord, redact: Redact): EventRecord {
  return {
    ...record,
    calls: record.calls.map((call, index) => ({ ...call, error: hideError(call.error, index, redact) })),
  };
}

function hideError(error: ErrorText | null, index: number, redact: Redact): ErrorText | null {
  if (error === null) return null;
  const { name, message, code, stack } = error;
  const text = (field: string, value: string): string =>
    redactedText(redact, `event.results.${index}.error.${field}`, value);
  return {
    name: text('name', name),
    message: text('message', message),
    code: code === null ? null : text('code', code),
    stack: stack === null ? null : text('stack', stack),
  };
}
