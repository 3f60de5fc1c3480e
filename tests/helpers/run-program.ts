import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fixtureUrl } from './fixture.ts';

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the compiled fixture in a process of its own. */
export function startProgram(
  fixture: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): ChildProcess {
  return spawn(process.execPath, [...nodeOptions, fileURLToPath(fixtureUrl(fixture)), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the compiled fixture in a process of its own to its end. */
export async function runProgram(
  fixture: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Promise<ProgramEnd> {
  const child = startProgram(fixture, args, nodeOptions);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
