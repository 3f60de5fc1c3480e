/**
 * Names of OpenTelemetry's conventions for messaging (1.45), as far as they are used here.
 *
 * Written down, because the package that has them all is ten megabytes, and its messaging names are not stable.
 */
export const system = 'messaging.system';
export const operationName = 'messaging.operation.name';
export const operationType = 'messaging.operation.type';
export const destination = 'messaging.destination.name';
export const messageId = 'messaging.message.id';
export const errorType = 'error.type';
export const threadId = 'thread.id';
export const busName = 'threadbus.bus.name';
export const handlerName = 'threadbus.handler.name';

/** Name of the tracer and the meter, and the value of `messaging.system`. */
export const threadbus = 'threadbus';

/** Of an error: our code, or else its class. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && code.startsWith('ERR_')) return code;
  return typeof name === 'string' ? name : 'Error';
}
