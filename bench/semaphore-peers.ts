import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MultiprocessSemaphore } from '@threadbus/semaphore';
import { retry } from 'abxbus';
import lockfile from 'proper-lockfile';

/** What is compared: ours, proper-lockfile as it is, and the semaphore of abxbus. */
export type Peer = 'threadbus' | 'proper-lockfile' | 'abxbus';
export const peers: readonly Peer[] = ['threadbus', 'proper-lockfile', 'abxbus'];

/** Takes one slot; the result gives it back. */
export type Take = () => Promise<() => Promise<void>>;

/** One slot of a semaphore of limit 1, shared by all processes that give the same directory and name. */
export function takeWith(peer: Peer, directory: string, name: string): Take {
  mkdirSync(directory, { recursive: true });
  if (peer === 'threadbus') return takeOurs(directory, name);
  return peer === 'abxbus' ? takeAbxbus(name) : takeProperLockfile(join(directory, name));
}

function takeOurs(directory: string, name: string): Take {
  const semaphore = new MultiprocessSemaphore({ name, limit: 1, directory });
  return async () => {
    const lease = await semaphore.acquire();
    return () => lease.release();
  };
}

/** Its own way of waiting: tries again after 100 ms, then later and later, up to a second. */
function takeProperLockfile(file: string): Take {
  return async () => {
    for (let pause = 100; ; pause = Math.min(pause * 2, 1000)) {
      try {
        return await lockfile.lock(file, { realpath: false, onCompromised: () => {} });
      } catch (error) {
        if ((error as { code?: string }).code !== 'ELOCKED') throw error;
      }
      await sleep(pause);
    }
  };
}

function takeAbxbus(name: string): Take {
  const limited = retry({
    max_attempts: 1,
    semaphore_limit: 1,
    semaphore_scope: 'multiprocess',
    semaphore_name: name,
    semaphore_lax: false,
    semaphore_timeout: 600,
  })(async (run: () => Promise<void>): Promise<void> => run());
  return () =>
    new Promise((resolve, reject) => {
      const held = limited(
        () =>
          new Promise<void>((giveBack) => {
            resolve(async () => {
              giveBack();
              await held;
            });
          }),
      );
      held.catch(reject);
    });
}
