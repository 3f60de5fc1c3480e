import * as fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { parseLine } from '../../../packages/core/src/log/written-line.ts';

const time = '2026-01-02T03:04:05.678Z';
const results = (handler: string, error: unknown = null): object[] => [
  { handler_id: '1.0001', handler_name: handler, eventbus_id: '1', eventbus_name: 'Shop', status: 'completed', error },
];

interface Parts {
  readonly type?: string;
  readonly payload?: object;
  readonly outcome?: string;
  readonly started?: string | null;
  readonly completed?: string;
  readonly results?: object[];
  readonly marks?: object;
}

function lineOf(parts: Parts): string {
  const { type = 'Order', payload = {}, outcome = 'succeeded', started = time, completed = time, marks = {} } = parts;
  return JSON.stringify({
    event_type: type,
    event_schema: `${type}@1.0.0`,
    event_id: '01a229d9-5bc6-75d4-b666-fc1f1f83494a',
    ...payload,
    event_status: 'completed',
    event_outcome: outcome,
    event_started_at: started,
    event_completed_at: completed,
    event_results: parts.results ?? results('ship'),
    ...marks,
  });
}

/** What a reader makes of it: the value, or that it is no JSON. */
function madeBy(parse: (text: string) => unknown, text: string): unknown {
  try {
    return { value: parse(text) };
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError);
    return 'no JSON';
  }
}

const ours = (text: string): unknown => madeBy(parseLine, text);
const json = (text: string): unknown => madeBy(JSON.parse, text);

/** Each test begins with an ending that is known. */
const learn = (): void => void parseLine(lineOf({}));
afterEach(learn);
learn();

test('written-line - a line that ends as the one before is what JSON says, mark of a batch or not', () => {
  const lines = [
    lineOf({ payload: { n: 1 } }),
    `\t${lineOf({ payload: { text: '"}{' } })}`,
    lineOf({ started: null }),
    lineOf({ outcome: 'failed' }),
    lineOf({ type: 'Other' }),
    lineOf({ type: 'Other', marks: { event_stopped: 'Shop' } }),
    lineOf({ marks: { event_copy: true } }),
    lineOf({ results: [] }),
  ];
  expect(lines.map(ours)).toEqual(lines.map(json));
});

const known = lineOf({}).slice(lineOf({}).indexOf(',"event_status"'));

test.each([
  ['a front that is no object', `{"event_type":"Order"}${known}`],
  ['nothing in front', known],
  ['an empty front', `{${known}`],
  ['a mark that objects have of their own', `${lineOf({}).slice(0, -1)},"__proto__":{"a":1}}`],
  ['a front without an id', `{"event_type":"Order"${known}`],
  ['a front with a comma at its end', `{"event_type":"Order","event_id":"1",${known}`],
  ['an ending inside of the payload', `{"event_type":"Order","event_id":"1","inner":{"a":1${known}}`],
  ['an ending inside of the payload, unclosed', `{"event_type":"Order","event_id":"1","inner":{"a":1${known}`],
  ['an ending inside of a list', `{"event_type":"Order","event_id":"1","inner":[1${known}`],
  ['an ending inside of a text', `{"event_type":"Order","event_id":"1","text":"${known}`],
  ['two endings', `{"event_type":"Order","event_id":"1"${known.slice(0, -1)}${known}`],
  ['a time that is none', lineOf({ completed: '2026-01-02T03:04:05.6785' })],
  ['a time with a quote in it', lineOf({}).replace(time, '2026-01-02T03:"x":"5.678Z')],
  ['a time with a tab in it', lineOf({}).replace(time, '2026-01-02T03:04:\t5.678Z')],
  ['a time that ends its text', lineOf({}).replace(`"${time}"`, '"","x":"2-03T03:04:05.678Z"')],
])('written-line - %s is what JSON says of it', (_, text) => {
  learn();
  const lines = [text, `\t${text}`, text];
  expect(lines.map(ours)).toEqual(lines.map(json));
});

test('written-line - whatever is done to lines, they are what JSON says of them', () => {
  const piece = fc.constantFrom(
    '"', '\\', '{', '}', '[', ']', ',', ':', '\t', 'null', ' ', 'x', time, known, ',"event_status":"completed"',
    ',"event_results":[', '"event_id":"1"', '{"event_type":"Order"',
  ); // prettier-ignore
  const parts = fc.record(
    {
      type: fc.constantFrom('Order', 'Other', 'Bill'),
      payload: fc.dictionary(fc.constantFrom('a', 'b', 'event_status', 'event_results'), fc.jsonValue()),
      outcome: fc.constantFrom('succeeded', 'failed', 'cancelled', 'odd'),
      started: fc.constantFrom(time, null, '2026-01-02T03:04:59.000Z'),
      completed: fc.constantFrom(time, '2026-13-02T03:04:59.000Z', 'never'),
      results: fc.constantFrom(results('ship'), results('bill'), [], results('ship', { message: known })),
      marks: fc.constantFrom({}, { event_copy: true }, { event_stopped: 'Shop' }),
    },
    { requiredKeys: [] },
  );
  const edits = fc.array(fc.record({ at: fc.nat(1_000), cut: fc.nat(40), put: piece }), { maxLength: 2 });
  const line = fc.tuple(parts, edits, fc.boolean()).map(([given, changes, begins]) => {
    let text = lineOf(given);
    for (const { at, cut, put } of changes) {
      const from = at % (text.length + 1);
      text = `${text.slice(0, from)}${put}${text.slice(from + cut)}`;
    }
    return begins ? `\t${text}` : text;
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 6 }), (lines) => {
      for (const text of lines) expect([text, ours(text)]).toEqual([text, json(text)]);
    }),
    { numRuns: 200 },
  );
});
