import type { Logger } from '@threadbus/core';

/** A logger that remembers what it was told, by level. */
export interface LogRecorder extends Logger {
  readonly debugs: string[];
  readonly infos: string[];
  readonly warnings: string[];
  readonly errors: string[];
}

export function logRecorder(): LogRecorder {
  const debugs: string[] = [];
  const infos: string[] = [];
  const warnings: string[] = [];
  const errors: string[] = [];
  return {
    debugs,
    infos,
    warnings,
    errors,
    debug: (message) => debugs.push(message),
    info: (message) => infos.push(message),
    warn: (message) => warnings.push(message),
    error: (message) => errors.push(message),
  };
}
