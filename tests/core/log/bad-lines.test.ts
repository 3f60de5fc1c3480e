import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  BaseEvent,
  EventBus,
  isEventValidationError,
  readWal,
  type ReadWalOptions,
  type WalProblem,
} from '@threadbus/core';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { collect } from '../../helpers/collect.ts';
import { rejection } from '../../helpers/gate.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Any = BaseEvent.extend('Any', { data: z.any() });

function line(fields: object): string {
  return `${JSON.stringify({
    event_id: '01a229d9-5bc6-75d4-b666-fc1f1f83494a',
    event_created_at: '2026-01-02T03:04:05.678Z',
    event_path: [],
    ...fields,
  })}\n`;
}

async function types(path: string | URL, options?: ReadWalOptions): Promise<string[]> {
  return (await collect(readWal(path, options))).map(({ event_type }) => event_type);
}

/** Three events; the one in the middle has a timeout that makes no sense. */
function damaged(): string {
  const path = join(tempFolder(), 'log.jsonl');
  writeFileSync(
    path,
    `${line({ event_type: 'A' })}${line({ event_type: 'B', event_timeout: -1 })}${line({ event_type: 'C' })}`,
  );
  return path;
}

test('bad-lines - end the reading unless told otherwise', async () => {
  expect(isEventValidationError(await rejection(types(damaged())))).toBe(true);
  expect(isEventValidationError(await rejection(types(damaged(), { onBadLine: 'throw' })))).toBe(true);
});

test('bad-lines - are passed over, and told to a function by file, number, text and problem', async () => {
  const path = damaged();
  appendFileSync(path, `no JSON at all\n[]\n"text"\nnull\n{"foreign":true}\n${line({ event_type: 'D' })}`);
  expect(await types(path, { onBadLine: 'skip' })).toEqual(['A', 'C', 'D']);
  const problems: WalProblem[] = [];
  expect(await types(path, { onBadLine: (problem) => void problems.push(problem) })).toEqual(['A', 'C', 'D']);
  expect(problems.map((problem) => problem.line)).toEqual([2, 4, 5, 6, 7, 8]);
  expect(problems[1]).toMatchObject({ path, text: 'no JSON at all' });
  expect(problems.every(({ error }) => isEventValidationError(error))).toBe(true);
});

test('bad-lines - what the function throws ends the reading', async () => {
  const own = new Error('enough');
  const atOnce = types(damaged(), {
    onBadLine: () => {
      throw own;
    },
  });
  expect(await rejection(atOnce)).toBe(own);
  const later = types(damaged(), { onBadLine: () => Promise.reject(own) });
  expect(await rejection(later)).toBe(own);
});

test.each([
  [{ onBadline: 'skip' }, "readWal has no option 'onBadline'"],
  [{ onBadLine: 'ignore' }, "Expected onBadLine to be 'throw', 'skip' or a function; got the string \"ignore\""],
  [{ reset: 'yes' }, 'Expected reset to be true or false'],
  [{ incomplete: 1 }, 'Expected incomplete to be true or false'],
  [{ reset: true, incomplete: true }, 'readWal takes either reset or incomplete'],
  [null, 'Expected the options of readWal to be an object'],
])('bad-lines - options that make no sense are refused: %j', async (options, message) => {
  const error = await rejection(types(damaged(), options as never));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain(message);
});

test('torn-lines - wherever a line is torn, the batch behind it is read, and nothing is reported', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath: path });
  const write = async (n: number): Promise<void> => {
    await bus.dispatch(new Step({ n, text: 'ü\t\n{}"' } as never));
  };
  await write(0);
  const whole = readFileSync(path, 'utf8').slice(1, -1);
  const cuts = [1, 2, 20, 100, whole.length - 1];
  for (const [n, cut] of cuts.entries()) {
    appendFileSync(path, whole.slice(0, cut));
    await write(n + 1);
    // Twice in a row.
    appendFileSync(path, whole.slice(0, cut));
    appendFileSync(path, `\t${whole.slice(0, cut)}`);
    await write(n + 101);
  }
  const read = (await collect(readWal(path))).map((event) => (event as unknown as { n: number }).n);
  expect(read).toEqual([0, ...cuts.flatMap((_, n) => [n + 1, n + 101])]);
});

test('torn-lines - random ends of batches: what was whole is read, in order', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  const batch = fc.record({ types: fc.array(fc.stringMatching(/^[A-Z]{1,8}$/), { minLength: 1 }), cut: fc.nat(400) });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 12 }), async (batches) => {
      let text = '';
      const expected: string[] = [];
      for (const { types: names, cut } of batches) {
        const lines = names.map((event_type) => line({ event_type }));
        const kept = `\t${lines.join('')}`.slice(0, cut);
        text += kept;
        // A whole line whose newline is torn counts as well.
        let end = 1;
        for (const [i, one] of lines.entries()) {
          end += one.length;
          if (kept.length >= end - 1) expected.push(names[i] as string);
        }
      }
      writeFileSync(path, text);
      expect(await types(path)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('read-wal - a byte order mark, a file: URL, Windows line ends', async () => {
  const path = join(tempFolder(), 'log with spaces.jsonl');
  writeFileSync(path, `\uFEFF${line({ event_type: 'A' })}${line({ event_type: 'B' })}`.replaceAll('\n', '\r\n'));
  expect(await types(path)).toEqual(['A', 'B']);
  expect(await types(pathToFileURL(path))).toEqual(['A', 'B']);
  const error = await rejection(types(new URL('https://example.org/log')));
  expect(error).toBeInstanceOf(TypeError);
  expect(error.message).toContain('Expected the log to be the path of a file');
});

test('read-wal - time grows with the length of lines, not with its square; 100 MB are read', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  const text = 'x'.repeat(100 << 20);
  writeFileSync(path, line({ event_type: 'Long', text }));
  const [event] = await collect(readWal(path));
  expect(event?.toJSON()['text'] === text).toBe(true);
}, 60_000);

test.each([2_000, 3_000])('read-wal - %i nested objects were written, so they are read', async (depth) => {
  const path = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath: path });
  let data: unknown = 'bottom';
  for (let level = 0; level < depth; level += 1) data = { data };
  await bus.dispatch(new Any({ data }));
  const events = await collect(readWal(path));
  let read: unknown = events[0]?.toJSON()['data'];
  for (let level = 0; level < depth; level += 1) read = (read as { data: unknown }).data;
  expect(read).toBe('bottom');
});

test('read-wal - tags are read at any depth', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  const deep = 20_000;
  const tagged = '{"$threadbus":"Set","value":[1]}';
  writeFileSync(
    path,
    `${line({ event_type: 'Deep' }).slice(0, -2)},"data":${'['.repeat(deep)}${tagged}${']'.repeat(deep)}}\n`,
  );
  const [event] = await collect(readWal(path));
  let data = (event as unknown as { data: unknown }).data;
  for (let level = 0; level < deep; level += 1) [data] = data as [unknown];
  expect(data).toEqual(new Set([1]));
});

test('bad-lines - a field called __proto__ is refused, as it is in a payload: it would not be a field of the event', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  const text = line({ event_type: 'Step', event_schema: 'Step@1', event_parent_id: null, event_timeout: null, n: 1 });
  const forged = '"__proto__":{"event_id":"forged"}';
  writeFileSync(path, `${text}${text.replace('"n":1', `${forged},"n":2`)}`);
  const problems: WalProblem[] = [];
  const events = await collect(readWal(path, { onBadLine: (problem) => void problems.push(problem) }));
  expect(events.map((event) => event instanceof BaseEvent && event.event_type)).toEqual(['Step']);
  expect(problems.map(({ error }) => error.message)).toEqual([expect.stringContaining("'__proto__'")]);
  expect(() => new BaseEvent(JSON.parse(`{${forged}}`) as object)).toThrow("'__proto__'");
});
