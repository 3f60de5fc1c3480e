// Runs in a pool thread: the default export is the handler. It may block, since the thread has nothing else to do.
export default function countPrimes({ from, below }: { from: number; below: number }): number {
  let count = 0;
  for (let n = Math.max(2, from); n < below; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d += 1) prime = n % d !== 0;
    if (prime) count += 1;
  }
  return count;
}
