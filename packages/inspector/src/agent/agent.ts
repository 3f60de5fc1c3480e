import { threadId } from 'node:worker_threads';
import { observeThreads, type ThreadEnd, type ThreadStart } from '@threadbus/worker';
import { loadInThreads } from '@threadbus/worker/internal';
import type { AgentCall, Order, Place, Report } from '../basics/messages.ts';
import { agentEntry } from '../entries.ts';
import { clock } from '../basics/records.ts';
import type { Redact } from '../basics/redact.ts';
import { answer } from './answers.ts';
import { numbersHere } from './numbers.ts';
import { Recorder } from './recorder.ts';

/** Milliseconds between batches; numbers are told with every fifth. */
const beat = 100;
const beatsOfNumbers = 5;
/** Records a second until the hub says how many. */
const firstBudget = 200;

/** The way from an agent to its hub. */
export interface AgentLine {
  send(report: Report): void;
  /** So much waits to be sent that more would only pile up. */
  readonly isFull: boolean;
}

const here: Place = { pid: process.pid, thread: threadId };

/**
 * The eyes of a hub in one thread, for one time of looking.
 *
 * It brings itself into the threads and processes of this one; they report to the hub themselves. All that it has
 * registered goes with `end`, and nothing of it is left: what nobody looks at costs nothing. A hub that doesn't read gets
 * no batches, and later what has become of the events meanwhile.
 */
export class Agent {
  readonly #line: AgentLine;
  readonly #redact: Redact;
  readonly #recorder: Recorder;
  readonly #ends: readonly (() => void)[];
  #beats = 0;
  /** The numbers that were told last, as text. */
  #told = '';
  #last = performance.now();
  #idle = performance.eventLoopUtilization().idle;

  constructor(line: AgentLine, call: AgentCall, redact: Redact) {
    this.#line = line;
    this.#redact = redact;
    this.#recorder = new Recorder(call.hub, here, redact, firstBudget);
    const timer = setInterval(() => this.#beat(), beat).unref();
    this.#ends = [
      () => clearInterval(timer),
      observeThreads({
        started: (start) => this.#thread(start, null),
        ended: (end) => this.#thread(end, end),
      }),
      loadInThreads({ url: agentEntry, data: call }),
    ];
    line.send({ kind: 'hello', place: here });
    this.#tellNumbers();
  }

  receive(order: Order): void {
    if (order.kind === 'budget') this.#recorder.budget.set(order.records);
    else
      this.#line.send({
        kind: 'answer',
        number: order.number,
        answer: answer(order, this.#recorder.events, this.#redact),
      });
  }

  /** The thread is about to end: what hasn't been told yet is told now. */
  tellLast(): void {
    const batch = this.#recorder.flush();
    if (batch !== null) this.#line.send(batch);
  }

  /** Milliseconds that this thread has spent for those who look, beside. */
  took(time: number): void {
    this.#recorder.budget.took(time);
  }

  end(): void {
    for (const end of this.#ends) end();
    this.#recorder.end();
  }

  #beat(): void {
    const now = performance.now();
    const { idle } = performance.eventLoopUtilization();
    this.#recorder.budget.refill((now - this.#last) / 1000, (idle - this.#idle) / 1000);
    this.#last = now;
    this.#idle = idle;
    if (this.#line.isFull) return;
    const batch = this.#recorder.flush();
    if (batch !== null) this.#line.send(batch);
    this.#recorder.budget.took(performance.now() - now);
    this.#beats += 1;
    if (this.#beats % beatsOfNumbers === 0) this.#tellNumbers();
  }

  #tellNumbers(): void {
    const numbers = numbersHere();
    const text = JSON.stringify(numbers);
    if (text === this.#told) return;
    this.#told = text;
    this.#line.send({ kind: 'numbers', numbers });
  }

  #thread(start: ThreadStart, end: ThreadEnd | null): void {
    const { owner, name, threadId: thread, pid } = start;
    this.#line.send({ kind: 'thread', at: clock(), start: { owner, name, threadId: thread, pid }, end });
  }
}
