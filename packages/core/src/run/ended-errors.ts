import { errorText, isReadableError } from '../basics/describe.ts';
import {
  type ErrorPlace,
  HandlerAbortedError,
  HandlerCancelledError,
  isBusError,
  isBusStoppedError,
  isHandlerTimeoutError,
} from '../basics/errors.ts';
import { isFirstResultError } from '../basics/first-result-error.ts';

/** The error of a handler that was running when it was ended from outside. */
export function abortedError(place: ErrorPlace, cause: unknown): HandlerAbortedError {
  return new HandlerAbortedError(`${placeText(place)} was interrupted because of ${causeText(cause)}`, place, {
    cause,
  });
}

/** The error of a handler that had not started when its event was ended from outside. */
export function cancelledError(place: ErrorPlace, cause: unknown): HandlerCancelledError {
  const what = isHandlerTimeoutError(cause)
    ? `parent error: ${placeText(place)}`
    : `${kindOf(cause)}: ${placeText(place)}`;
  return new HandlerCancelledError(
    `Cancelled pending handler as a result of ${what} had not started. ${reasonText(cause)}`,
    place,
    { cause },
  );
}

function placeText({ busName, handlerName, eventType }: ErrorPlace): string {
  return `${busName}.${handlerName}(${eventType})`;
}

/** What ended the handlers of an event: `a parent timeout: …`, `a stop: …` or `an abort: …`. */
function causeText(cause: unknown): string {
  return `${isHandlerTimeoutError(cause) ? 'a parent timeout' : kindOf(cause)}: ${reasonText(cause)}`;
}

function kindOf(cause: unknown): string {
  if (isFirstResultError(cause)) return 'a first result';
  return isBusStoppedError(cause) ? 'a stop' : 'an abort';
}

/** Ours say which bus and handler; of others, which signals bring, the name says more than the message. */
function reasonText(cause: unknown): string {
  return isBusError(cause) && isReadableError(cause) ? cause.message : errorText(cause);
}
