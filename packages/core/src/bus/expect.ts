import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import { didYouMean } from '../basics/did-you-mean.ts';
import { checkWait } from '../basics/duration.ts';
import { TimeoutError } from '../basics/errors.ts';
import type { ExpectOptions } from './expectation.ts';
import { checkFilter, checkOptions, checkSignal, passes } from '../basics/options.ts';

/** Waits for the next event that matches to be dispatched to the bus; registered before the call returns. */
export async function expectEvent(engine: BusEngine, key: string, options: ExpectOptions): Promise<BaseEvent> {
  const { timeout, signal } = checkExpectOptions(options);
  if (engine.stopped) throw engine.stoppedError();
  return engine.expectations.add({
    pattern: key,
    matches: (event) => isExpected(event, options),
    timeout,
    signal,
    onTimeout: (seconds) =>
      new TimeoutError(
        `No '${key}' that matches was dispatched to ${engine.name} within ${seconds} s.${didYouMean(key, dispatchedTypes(engine))}`,
        { busName: engine.name },
        seconds,
      ),
  });
}

/** @throws TypeError or RangeError */
export function checkExpectOptions(options: ExpectOptions): {
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
} {
  checkOptions('expect', options, ['include', 'exclude', 'predicate', 'timeout', 'signal']);
  const { include, exclude, predicate, signal } = options;
  checkFilter('include', include);
  checkFilter('exclude', exclude);
  checkFilter('predicate', predicate);
  checkSignal(signal);
  return { timeout: checkWait('timeout (seconds)', options.timeout), signal };
}

/** What the filters say of an event. */
export function isExpected(event: BaseEvent, { include, exclude, predicate }: ExpectOptions): boolean {
  return (
    passes('include', include, event) &&
    passes('predicate', predicate, event) &&
    (exclude === undefined || !passes('exclude', exclude, event))
  );
}

/** Types of the events that the bus remembers. */
function dispatchedTypes({ history }: BusEngine): string[] {
  return [...history.values()].map(({ event_type }) => event_type);
}
