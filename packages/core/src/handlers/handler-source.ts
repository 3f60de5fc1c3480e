import type { AnyHandler } from './handler.ts';

/** An arrow function with one plain parameter, or none. It has no `arguments` of its own. */
const arrowOfOne = /^(?:async\s*)?(?:[\w$]+|\(\s*(?:[\w$]+|\{[\w$\s,:]*\})?\s*\))\s*=>/;

/** Any other, whose body names neither its `arguments` nor what could. */
const functionOfOne =
  /^(?:async\s+)?function\s*[\w$]*\s*\(\s*(?:[\w$]+|\{[\w$\s,:]*\})?\s*\)\s*\{(?!\s*\[native code\])/;
const namesArguments = /\b(?:arguments|eval)\b|\\u/;

/** There is no way for the function to get at a second argument. */
export function takesOneArgument(handler: AnyHandler): boolean {
  if (handler.length > 1) return false;
  const source = Function.prototype.toString.call(handler);
  return arrowOfOne.test(source) || (functionOfOne.test(source) && !namesArguments.test(source));
}
