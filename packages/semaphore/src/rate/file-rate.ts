import { lockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import { gateName, RateFile } from './rate-file.ts';
import { RateLimit, type Rate } from './rate-limit.ts';
import { sweepRates } from './rate-sweep.ts';

/** A rate that all processes of the machine share which use the directory. */
export function fileRate(name: string, directory: string, rate: Rate): RateLimit {
  const gate = lockfileSlots({ name: gateName(name), limit: 1, directory });
  sweepRates(directory);
  return new RateLimit(rate, gate, new RateFile(name, directory, rate));
}
