import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { fixtureUrl } from '../helpers/fixture.ts';

/** What the witness says. */
export interface Outcome {
  readonly fine: boolean;
  readonly holds: number;
  readonly violations: number;
  readonly most: number;
}

/** Runs one scenario for about so long. */
export async function torture(scenario: string, seconds: number): Promise<Outcome> {
  const file = fileURLToPath(fixtureUrl('semaphore/torture'));
  const args = [file, '--scenario', scenario, '--seconds', String(seconds)];
  // A violation makes it exit with 1, and is in its output all the same.
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Outcome;
}
