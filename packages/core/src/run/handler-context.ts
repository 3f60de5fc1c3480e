import type { HandlerContext } from '../handlers/handler.ts';

/**
 * What a handler gets beside its event: a plain object with fields of its own, so that it can be copied and added to.
 *
 * The signal is made when it is first looked at, because most handlers never do, and it costs more than the call.
 */
export function handlerContext(run: HandlerContext): HandlerContext {
  const context = {} as { bus: HandlerContext['bus'] };
  Object.defineProperty(context, 'signal', { get: () => run.signal, enumerable: true, configurable: true });
  context.bus = run.bus;
  return context as HandlerContext;
}
