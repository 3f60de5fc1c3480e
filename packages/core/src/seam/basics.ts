/** Small things that all packages write in one way: checks of what users give, timers, lists, texts. */
export { asError, describe, errorText, isReadableError, stackText } from '../basics/describe.ts';
export { checkLimit, checkSize, checkWait, type Limit } from '../basics/duration.ts';
export { elapsedSince } from '../basics/elapsed.ts';
export { Fifo } from '../basics/fifo.ts';
export { showAs } from '../basics/inspect.ts';
export { type Linked, LinkedList } from '../basics/linked-list.ts';
export { defaultLogger, type SafeLogger } from '../basics/logger.ts';
export { monotonic, queueMicrotask, setImmediate } from '../basics/node-clock.ts';
export { checkFlag, checkOptions, checkSignal, silenced } from '../basics/options.ts';
export { ownFrames } from '../basics/own-stack.ts';
export { listOf } from '../basics/small-list.ts';
export { subscription } from '../basics/subscription.ts';
export { startTimer, type Timer } from '../basics/timer.ts';
export { whenAborted } from '../basics/when-aborted.ts';
