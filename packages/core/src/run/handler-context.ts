import type { HandlerContext } from '../handlers/handler.ts';

/** Under which a context knows its run; nothing lists, shows or copies it. */
const runKey = Symbol('threadbus.run');

type Context = Partial<HandlerContext> & { readonly [runKey]: HandlerContext };

const hidden: { value: HandlerContext | null } & PropertyDescriptor = {
  value: null,
  enumerable: false,
  configurable: true,
};

/** One for all contexts. */
const signal: PropertyDescriptor & ThisType<Context> = {
  get() {
    return this[runKey].signal;
  },
  // Whoever adds to the context may put a signal of his own in its place, as in any plain object.
  set(value: unknown) {
    Object.defineProperty(this, 'signal', { value, writable: true, enumerable: true, configurable: true });
  },
  enumerable: true,
  configurable: true,
};

/** For handlers that can't see it. */
export const noContext = undefined as unknown as HandlerContext;

/**
 * What a handler gets beside its event: a plain object with fields of its own, so that it can be copied and added to.
 *
 * The signal is made when it is first looked at, because most handlers never do, and it costs more than the call. All
 * contexts share the getter: with one for each, V8 makes each context a hidden class of its own, and these hold each
 * other: until the next full collection every run stayed in memory, and collecting cost more than running.
 */
export function handlerContext(run: HandlerContext): HandlerContext {
  const context = {} as { bus: HandlerContext['bus'] };
  Object.defineProperty(context, 'signal', signal);
  context.bus = run.bus;
  hidden.value = run;
  Object.defineProperty(context, runKey, hidden);
  hidden.value = null;
  return context as HandlerContext;
}
