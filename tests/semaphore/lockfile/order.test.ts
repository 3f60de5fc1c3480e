import { MultiprocessSemaphore } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { inLine } from '../folder-signals.ts';
import { Holder } from '../holder.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

test('order - a slot that somebody finds free by chance is left to the first in the line, who is busy for a moment', async () => {
  const options = { name: 'order', limit: 1, directory: temporaryDirectory() };
  const semaphore = new MultiprocessSemaphore(options);
  const line = await Promise.all(Array.from({ length: 4 }, () => Holder.process(options)));
  const orders: string[] = [];
  for (let round = 0; round < 5; round++) {
    const lease = await semaphore.acquire();
    for (const [place, holder] of line.entries()) {
      holder.tell({ do: 'acquire' });
      await inLine(semaphore, place + 1);
    }
    // Shorter than what it takes to be passed over. The others look at the slot in between.
    line[0]?.tell({ do: 'block', ms: 200 });
    await line[0]?.report('blocked');
    await lease.release();
    await line[0]?.report('unblocked');
    const served: number[] = [];
    const turn = async (holder: Holder, place: number): Promise<void> => {
      await holder.report('acquired');
      served.push(place);
      await holder.release();
    };
    await Promise.all(line.map(turn));
    orders.push(served.join(' '));
  }
  expect(orders).toEqual(Array.from({ length: 5 }, () => '0 1 2 3'));
});
