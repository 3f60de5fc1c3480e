declare const hint: unique symbol;

/**
 * A type that nothing has, as an alternative of a parameter's: a compiler that refuses an argument prints what was
 * expected, and with it the text. So its first line says what to do.
 */
export interface Hint<Text extends string> {
  readonly [hint]: Text;
}

/** What `dispatch` takes, for the compiler's message. */
export type TakeEvent =
  'an event, such as new UserCreated({ … }): no class, no plain object, nothing that was dispatched';
/** What a pattern may be beside a string, for the compiler's message. */
export type TakeClass = "the event's class, such as UserCreated, not one of its events";
/** What `on` takes for a pattern that is a string, for the compiler's message. */
export type TakeTypedHandler =
  "a handler of any event: for a typed one give the class in place of its type's name, as in on(UserCreated, …)";
