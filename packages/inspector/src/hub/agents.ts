import type { Answer, Numbers, Order, Place, Report } from '../basics/messages.ts';

/** Records a second that all agents together may send; fewer while more is dispatched than anybody could read. */
const mostRecords = 2000;
/** Dispatches a second from which on that is so: what is told then must not take the time in which they run. */
const flood = 20_000;
const floodRecords = 250;
/** Seconds of which all is known that is shared out by. */
const shareTime = 1;
/** Milliseconds for an agent to answer: its thread may be blocked. */
const answerTime = 2000;
/** A thread in which nothing happens may send so many records a second at once when something does. */
const leastRecords = 50;

/** What a hub has of one agent. */
export interface AgentState {
  readonly number: number;
  readonly order: (order: Order) => void;
  /** Nobody looks any more: it is to go. */
  readonly end: () => void;
  place: Place;
  numbers: Numbers | null;
  /** Dispatches since the budget was shared out last. */
  seen: number;
}

/** The agents of one time of looking: what they may send, and what they are asked. */
export class Agents {
  readonly #all = new Map<number, AgentState>();
  readonly #questions = new Map<number, { readonly agent: number; readonly settle: (answer: Answer) => void }>();
  #asked = 0;
  #joined = 0;
  #isFlood = false;
  /** One has joined since. */
  #isNew = false;
  /** Seconds since the budget was shared out last. */
  #since = 0;

  get all(): Iterable<AgentState> {
    return this.#all.values();
  }

  join(order: (order: Order) => void, end: () => void): AgentState {
    this.#joined += 1;
    const agent = { number: this.#joined, order, end, place: { pid: -1, thread: -1 }, numbers: null, seen: 0 };
    this.#all.set(agent.number, agent);
    this.#isNew = true;
    return agent;
  }

  /** @returns false if it had left already */
  leave({ number }: AgentState): boolean {
    for (const [question, { agent, settle }] of this.#questions) {
      if (agent !== number) continue;
      this.#questions.delete(question);
      settle(null);
    }
    return this.#all.delete(number);
  }

  /** Ends all of them. */
  clear(): void {
    for (const agent of [...this.#all.values()]) {
      this.leave(agent);
      agent.end();
    }
  }

  /** So many seconds have passed: shares out anew each second, and at once when a flood begins or one has joined. */
  passed(seconds: number): void {
    this.#since += seconds;
    const isSudden = !this.#isFlood && this.#seen >= flood * this.#since;
    if (this.#isNew || isSudden || this.#since >= shareTime) this.share();
  }

  /** Shares out what may be sent by how much happens where, a little for each. */
  share(): void {
    const seen = this.#seen;
    this.#isFlood = this.#since > 0 && seen >= flood * this.#since;
    this.#since = 0;
    this.#isNew = false;
    const records = this.#isFlood ? floodRecords : mostRecords;
    const least = Math.min(leastRecords, records / (2 * this.#all.size));
    const rest = records - least * this.#all.size;
    for (const agent of this.#all.values()) {
      const part = seen === 0 ? 1 / this.#all.size : agent.seen / seen;
      agent.order({ kind: 'budget', records: Math.floor(least + rest * part) });
      agent.seen = 0;
    }
  }

  get #seen(): number {
    let seen = 0;
    for (const agent of this.#all.values()) seen += agent.seen;
    return seen;
  }

  /** Asks those that know the event, one after the other. @returns null if none has it any more */
  async ask(numbers: readonly number[], what: 'details' | 'dispatch', id: string): Promise<Answer> {
    for (const number of numbers) {
      const agent = this.#all.get(number);
      const answer = agent === undefined ? null : await this.#askOne(agent, what, id);
      if (answer !== null) return answer;
    }
    return null;
  }

  answered({ number, answer }: Extract<Report, { kind: 'answer' }>): void {
    const question = this.#questions.get(number);
    this.#questions.delete(number);
    question?.settle(answer);
  }

  #askOne(agent: AgentState, what: 'details' | 'dispatch', id: string): Promise<Answer> {
    this.#asked += 1;
    const number = this.#asked;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answered({ kind: 'answer', number, answer: null }), answerTime).unref();
      this.#questions.set(number, {
        agent: agent.number,
        settle: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
      });
      agent.order({ kind: 'ask', number, what, id });
    });
  }
}
