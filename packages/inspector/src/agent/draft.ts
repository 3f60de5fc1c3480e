import type { BaseEvent, EventResult } from '@threadbus/core';
import { completedAtOf, lifecycleOf, startedAtOf, toEpoch } from '@threadbus/core/internal';
import type { Place } from '../basics/messages.ts';
import type { Redact } from '../basics/redact.ts';
import { type CallRecord, clock, type ErrorText, type EventRecord } from '../basics/records.ts';
import { errorText } from '../basics/show.ts';

/** Calls that are told of one event. */
const mostCalls = 200;
const mostText = 256;
/** Characters of an error's message and stack each, as long as there are few of them; all of it is told when somebody asks. */
const mostOfError = 2048;
const mostOfErrors = 16 * 1024;

/** What this thread knows of an event that is shown, until all of it has been told. Holds the event no longer than others do. */
export class Draft {
  readonly #id: string;
  readonly #parent: string | null;
  readonly #type: string;
  readonly #born: number | null;
  #bus: string;
  #path: readonly string[] = [];
  #done: number | null = null;
  #outcome: EventRecord['outcome'] = null;
  readonly #calls = new Map<string, CallRecord>();
  /** Characters of the errors so far. */
  #errors = 0;

  /** @param bus null if the event was not dispatched here, or before anybody looked */
  constructor(event: BaseEvent, bus: string | null) {
    this.#id = event.event_id;
    this.#parent = event.event_parent_id;
    this.#type = short(event.event_type);
    this.#born = bus === null ? null : clock();
    this.#bus = short(bus ?? event.event_path[0] ?? '');
  }

  get id(): string {
    return this.#id;
  }

  /** Of its record, beside one with few calls. */
  get weight(): number {
    return 1 + (this.#calls.size >> 3);
  }

  get record(): EventRecord {
    return {
      id: this.#id,
      parent: this.#parent,
      type: this.#type,
      bus: this.#bus,
      path: this.#path,
      born: this.#born,
      done: this.#done,
      outcome: this.#outcome,
      calls: [...this.#calls.values()],
    };
  }

  /** A handler is being called: here, or by way of this thread in another one. */
  called(result: EventResult): void {
    if (this.#calls.size >= mostCalls) return;
    const runsHere = result.thread_id !== null;
    const now = clock();
    this.#calls.set(result.handler_id, {
      ...sourceOf(result),
      called: runsHere ? null : now,
      started: runsHere ? now : null,
      ended: null,
      status: runsHere ? 'started' : 'pending',
      error: null,
    });
  }

  ended(result: EventResult, here: Place, redact: Redact): void {
    const id = result.handler_id;
    const known = this.#calls.get(id);
    if (known === undefined && this.#calls.size >= mostCalls) return;
    const isHere = result.thread_id === here.thread && result.pid === here.pid;
    const index = known === undefined ? this.#calls.size : [...this.#calls.keys()].indexOf(id);
    // Where it ran is where its times are known best; to the millisecond they are known here, too.
    this.#calls.set(id, {
      ...sourceOf(result),
      called: known?.called ?? null,
      started: (isHere ? known?.started : null) ?? momentOf(startedAtOf(result)),
      ended: known !== undefined && isHere ? clock() : momentOf(completedAtOf(result)),
      status: result.status,
      error: result.status === 'error' ? this.#errorText(result.error, index, redact) : null,
    });
  }

  #errorText(error: unknown, index: number, redact: Redact): ErrorText {
    const most = this.#errors < mostOfErrors ? mostOfError : 100;
    const text = errorText(error, `event.results.${index}.error`, redact, most);
    this.#errors += text.message.length + (text.stack?.length ?? 0);
    return text;
  }

  completed(event: BaseEvent, here: Place, redact: Redact): void {
    this.#done = clock();
    this.#outcome = event.event_outcome;
    this.#path = event.event_path.slice(0, 20).map(short);
    this.#bus = this.#path[0] ?? this.#bus;
    for (const result of lifecycleOf(event).results as readonly EventResult[]) {
      if (result.status !== 'completed' && result.status !== 'error') continue;
      const ended = this.#calls.get(result.handler_id)?.ended ?? null;
      if (ended === null) this.ended(result, here, redact);
    }
  }
}

function sourceOf(result: EventResult): Pick<CallRecord, 'id' | 'handler' | 'bus' | 'thread' | 'pid'> {
  return {
    id: result.handler_id,
    handler: short(result.handler_name),
    bus: short(result.eventbus_name),
    thread: result.thread_id,
    pid: result.pid,
  };
}

function momentOf(moment: ReturnType<typeof startedAtOf>): number | null {
  return moment === 0 ? null : toEpoch(moment);
}

function short(text: string): string {
  return text.length <= mostText ? text : `${text.slice(0, mostText)}…`;
}
