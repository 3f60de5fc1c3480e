import { fileURLToPath } from 'node:url';

// Without a name of its own a semaphore belongs to one function. Within a thread that is the function object; the same
// function in another thread is another object, made by the same line of code there. So a function is known by file,
// name, and how many live functions of that file and name were wrapped before it: the same in every thread that loads
// the file. Functions made over and over (a closure for each request) give their number back when they are collected.

interface Numbers {
  next: number;
  readonly free: number[];
}

type AnyFunction = (...args: never[]) => unknown;

const keys = new WeakMap<AnyFunction, string>();
const numbers = new Map<string, Numbers>();
const collected = new FinalizationRegistry(({ place, number }: { place: string; number: number }) => {
  numbers.get(place)?.free.push(number);
});

/**
 * What tells one function from every other, in all threads of the process.
 *
 * @param wrap the function that the user's code called: the stack is read from its caller on
 */
export function functionKey(fn: AnyFunction, wrap: AnyFunction): string {
  const known = keys.get(fn);
  if (known !== undefined) return known;
  const place = `${callerFile(wrap)} ${fn.name}`;
  let numbering = numbers.get(place);
  if (numbering === undefined) numbers.set(place, (numbering = { next: 0, free: [] }));
  const number = numbering.free.pop() ?? numbering.next++;
  const key = `${place} ${number}`;
  keys.set(fn, key);
  collected.register(fn, { place, number });
  return key;
}

/** The file of the code that called `callee`; empty if the stack does not tell. */
function callerFile(callee: AnyFunction): string {
  const { stackTraceLimit } = Error;
  const trace: { stack?: string } = {};
  // One line is enough, and there must be one. Where the intrinsics are frozen there are ten.
  setTraceLimit(1);
  Error.captureStackTrace(trace, callee);
  const line = String(trace.stack).split('\n')[1] ?? '';
  setTraceLimit(stackTraceLimit);
  // `at name (file:line:column)` or `at file:line:column`; the file as a path or a URL, loaders add a query.
  const file = /(?:\(|at (?:async )?)((?:file:\/\/)?[^()]*?)(?:\?[^:]*)?:\d+:\d+\)?$/.exec(line)?.[1] ?? '';
  try {
    return fileURLToPath(file);
  } catch {
    return file; // A path already.
  }
}

function setTraceLimit(lines: number): void {
  Reflect.set(Error, 'stackTraceLimit', lines);
}
