import type { AnyHandler } from './handler.ts';

/** An arrow function with one plain parameter, or none. It has no `arguments` of its own. */
const arrowOfOne = /^(?:async\s*)?(?:[\w$]+|\(\s*(?:[\w$]+|\{[\w$\s,:]*\})?\s*\))\s*=>/;

/** There is no way for the function to get at a second argument. */
export function takesOneArgument(handler: AnyHandler): boolean {
  return handler.length < 2 && arrowOfOne.test(Function.prototype.toString.call(handler));
}
