import { describe } from './describe.ts';

/** What is told of an error in a document: its class's name, its message, what else is known. */
export interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
}

/** Of whatever was thrown: what one of its getters throws costs that field alone. */
export function errorFields(error: unknown): ErrorFields {
  const code = errorField(error, 'code');
  return {
    name: textOf(errorField(error, 'name'), 'Error'),
    message: textOf(errorField(error, 'message'), "an error that can't be read"),
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
  };
}

/** One field; undefined if its getter throws. */
export function errorField(error: unknown, field: string): unknown {
  try {
    return (error as Readonly<Record<string, unknown>>)[field];
  } catch {
    return undefined;
  }
}

function textOf(value: unknown, otherwise: string): string {
  if (typeof value === 'string') return value;
  return value === undefined ? otherwise : describe(value);
}
