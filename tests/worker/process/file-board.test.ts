import { closeSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { FileBoardReader } from '../../../packages/worker/dist/process/file-board-reader.js';
import { FileBoardWriter } from '../../../packages/worker/dist/process/file-board-writer.js';
import { randomNumbers } from '../../fixtures/random-numbers.ts';

function board(): { reader: FileBoardReader; writer: FileBoardWriter } {
  const reader = new FileBoardReader();
  onTestFinished(() => reader.close());
  return { reader, writer: new FileBoardWriter(reader.fd) };
}

test('file board - what stands in a slot of the event before is not about the event that has it now', () => {
  const { reader, writer } = board();
  reader.clear(3);
  expect(reader.hasStarted(3)).toBe(false);
  writer.markRunning(3, true);
  writer.hold(3, 'own', 1, 2);
  expect([reader.hasStarted(3), reader.isRunning(3)]).toEqual([true, true]);
  writer.markRunning(3, false);
  writer.release();
  expect([reader.hasStarted(3), reader.isRunning(3)]).toEqual([true, false]);
  reader.clear(3);
  // Written with a neighbour, the old mark is still old.
  writer.markRunning(2, true);
  writer.hold(2, 'own', 1, 2);
  expect([reader.hasStarted(3), reader.isRunning(3)]).toEqual([false, false]);
});

test('file board - says what its process has noted, whatever the order', () => {
  const seed = Number(process.env['THREADBUS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`file board: seed ${seed}`);
  const random = randomNumbers(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const { reader, writer } = board();
  const slots = [0, 1, 2, 17, 250, 251, 252, 1000, 4095, 4096, 9000];
  const noted = new Map<number, 'started' | 'running'>();
  const seen = (slot: number): string | undefined =>
    reader.isRunning(slot) ? 'running' : reader.hasStarted(slot) ? 'started' : undefined;
  const wrong: string[] = [];
  for (let i = 0; i < 20_000; i += 1) {
    const slot = slots[pick(slots.length)] as number;
    const step = pick(4);
    if (step === 0) {
      // No event is answered, and its slot another's, while a handler of it runs.
      if (noted.get(slot) === 'running') {
        writer.markRunning(slot, false);
        writer.release();
      }
      reader.clear(slot);
      noted.delete(slot);
    } else if (step === 1) {
      writer.markStarted(slot);
      if (!noted.has(slot)) noted.set(slot, 'started');
    } else {
      writer.markRunning(slot, step === 2);
      noted.set(slot, step === 2 ? 'running' : 'started');
      if (random() < 0.5) writer.hold(slot, 'own', i, 1);
      else writer.release();
    }
    for (const each of slots) {
      // Of an event for which there is no slot nobody knows.
      const expected = each < 4096 ? noted.get(each) : 'started';
      if (seen(each) !== expected) wrong.push(`step ${i}: slot ${each} is ${seen(each)}, not ${expected}`);
    }
  }
  expect(wrong.slice(0, 3)).toEqual([]);
});

test('file board - a handler that needs no watch asks for one, and any other only once', () => {
  const { reader, writer } = board();
  expect(writer.hold(-1, 'other', 1, 0)).toBe(false);
  expect(writer.hold(-1, 'other', 2, 0)).toBe(true);
  reader.setWatched(false);
  // Whoever has sent the event watches.
  expect(writer.hold(5, 'own', 3, 0)).toBe(true);
  expect(writer.hold(-1, 'several', 4, 0)).toBe(false);
  expect(reader.holder()).toMatchObject({ slot: -1, kind: 'several', startedAt: 4, timeout: 0 });
  writer.release();
  expect(reader.holder()).toBeNull();
});

test('file board - what it said when it was closed is what counts', () => {
  const reader = new FileBoardReader();
  const writer = new FileBoardWriter(reader.fd);
  reader.clear(1);
  writer.addBorn(1);
  writer.setUnwritten(7);
  writer.markStarted(1);
  writer.leaveWords(Buffer.from('words'));
  reader.close();
  expect(() => closeSync(reader.fd)).toThrow('EBADF');
  expect(reader.hasStarted(1)).toBe(true);
  expect([reader.born, reader.unwritten, reader.lastWords?.toString()]).toEqual([1, 7, 'words']);
});
