// Runs in the threads of a pool: it may compute as long as its event allows.
import type { CountPrimes } from './events.js';
import { log } from './request-id.js';

export default function countPrimes({ below }: CountPrimes): number {
  let count = 0;
  for (let n = 2; n < below; n += 1) if (isPrime(n)) count += 1;
  log(`counted to ${below}`);
  return count;
}

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false;
  return true;
}
