/** Letters of any script, digits and `_ $ . : -`; what JSON of other buses in this family may hold, too. */
const name = /^[\p{ID_Start}_$][\u200d\u200c\p{ID_Continue}$.:-]*$/u;
const longest = 128;

/** How names of buses and types of events are described where one is refused. */
export const nameRule: string = `at most ${longest} letters, digits and _ $ . : - that don't start with a digit, '.', '-' or ':'`;

/** The value may name a bus or a type of events. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longest && name.test(value);
}
