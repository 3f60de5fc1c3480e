import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseEvent, isEventValidationError, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_122);
const Order = BaseEvent.extend('Order', { id: z.string(), items: z.array(z.object({ price: z.number() })) });

/** Whole numbers below what is asked for. */
function random(from: number): (below: number) => number {
  const next = randomNumbers(from);
  return (below) => (next() * 2 ** 32) % below;
}

const samples = [
  JSON.stringify(new Order({ id: 'a', items: [{ price: 1.5 }] }, { event_path: ['A', 'B'] })),
  JSON.stringify(new BaseEvent({ deep: { list: [null, true, { $threadbus: 'Map', value: ['a', 1] }] } })),
  JSON.stringify({ ...new Order({ id: 'ü', items: [] }).toJSON(), when: { $threadbus: 'Date', value: '2026-01-01' } }),
];
const pieces = [
  ...['"__proto__":{"polluted":1},', '"constructor":{"prototype":{"polluted":1}},', '"then":1,', '"toJSON":1,'],
  ...['"event_id":null,', '"event_path":[5],', '"event_timeout":-1,', '"event_created_at":"x",', '"event_type":"_",'],
  ...[
    '{"$threadbus":"Map","value":[1,2]}',
    '{"$threadbus":"BigInt","value":"9x"}',
    '{"$threadbus":"Float64Array","value":"AA"}',
  ],
  ...['{"$threadbus":"Object","value":[["__proto__",{"polluted":1}]]}', '{"$threadbus":"__proto__","value":"x"}'],
  ...['1e999', '-0', '\u0000', '\uD800', '"', '}', '{', '[', ',', 'null', '\\u005f_proto__'],
];

/** One to four changes at random places. */
function mutate(text: string, next: (below: number) => number): string {
  let mutant = text;
  for (let i = next(4); i >= 0; i -= 1) {
    const at = next(mutant.length + 1);
    const piece = pieces[next(pieces.length)] ?? '';
    const kind = next(6);
    if (kind === 0) mutant = mutant.slice(0, at) + mutant.slice(at + 1 + next(5));
    else if (kind === 1) mutant = mutant.slice(0, at) + piece + mutant.slice(at);
    else if (kind === 2) mutant = mutant.slice(0, at);
    else if (kind === 3) mutant = mutant.slice(0, at) + String.fromCharCode(next(256)) + mutant.slice(at + 1);
    else if (kind === 4) mutant = `{${piece}${mutant.slice(1)}`;
    else mutant = mutant.slice(0, at) + mutant.slice(next(mutant.length + 1));
  }
  return mutant;
}

/** A restored event is whole: whatever it was made of, its JSON says the same of it again. */
function checkEvent(event: BaseEvent): void {
  if (!(event instanceof BaseEvent) || event.event_status !== 'pending') throw new Error('no fresh event');
  if (event.event_timeout !== null && !(event.event_timeout > 0)) throw new Error('a timeout that is none');
  if (BaseEvent.fromJSON(event.toJSON()).event_id !== event.event_id) throw new Error('another event');
}

function checkPrototypes(): void {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(([] as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
}

test(
  `fuzz - 70,000 mutated documents (seed ${seed}): fromJSON gives a valid event or a typed error`,
  { timeout: 120_000 },
  () => {
    const next = random(seed);
    const tally = { valid: 0, refused: 0 };
    for (let i = 0; i < 70_000; i += 1) {
      const text = mutate(samples[i % samples.length] ?? '', next);
      const Class = i % 2 === 0 ? BaseEvent : Order;
      try {
        checkEvent(Class.fromJSON(text));
        tally.valid += 1;
      } catch (error) {
        if (!isEventValidationError(error)) throw new Error(`${String(error)} of ${text}`, { cause: error });
        tally.refused += 1;
      }
    }
    checkPrototypes();
    expect(tally.valid).toBeGreaterThan(1_000);
    expect(tally.refused).toBeGreaterThan(1_000);
  },
);

test(
  `fuzz - 30,000 mutated lines in logs (seed ${seed}): readWal gives valid events, a typed error, or the end`,
  { timeout: 120_000 },
  async () => {
    const next = random(seed + 1);
    const path = join(tempFolder(), 'log.jsonl');
    const tally = { events: 0, damaged: 0, ends: 0 };
    const messages: string[] = [];
    for (let file = 0; file < 1_000; file += 1) {
      // Files are whole up to some line; many to the last one, whose end may be torn.
      const until = 15 + next(30);
      const lines = Array.from({ length: 30 }, (_, i) => {
        const line = samples[(file + i) % samples.length] ?? '';
        return i < until ? line : mutate(line, next);
      });
      writeFileSync(path, lines.join('\n') + (next(2) === 0 ? '\n' : ''));
      try {
        for await (const event of readWal(path, { reset: next(2) === 0 })) {
          checkEvent(event);
          tally.events += 1;
        }
        tally.ends += 1;
      } catch (error) {
        if (!isEventValidationError(error))
          throw new Error(`${String(error)} of ${lines.join('\n')}`, { cause: error });
        messages.push(error.message);
        tally.damaged += 1;
      }
    }
    checkPrototypes();
    expect(messages.filter((message) => !/^Line \d+ of .*log\.jsonl is damaged: /.test(message))).toEqual([]);
    for (const count of Object.values(tally)) expect(count).toBeGreaterThan(100);
  },
);
