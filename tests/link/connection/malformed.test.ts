import { BaseEvent } from '@threadbus/core';
import { isLinkError, linkBuses, type LinkedBus } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { hello } from '../../../packages/link/dist/wire/handshake.js';
import { fieldCounts } from '../../../packages/link/dist/wire/protocol.js';
import * as op from '../../../packages/link/dist/wire/protocol.js';
import { checkOperation } from '../../../packages/link/dist/wire/frame-check.js';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { FarEnd } from '../far-end.ts';

const Ask = BaseEvent.extend('Ask', { value: z.unknown() });

let count = 0;

/** A link on which an event is under way and an expectation waits, with the wire at its other end. */
async function live(): Promise<{ far: FarEnd; remote: LinkedBus; sent: Promise<unknown>; expected: Promise<unknown> }> {
  count += 1;
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port2.close());
  const arrived = gate();
  const far = new FarEnd(port2, ([each]) => {
    if (each === op.EVENT) arrived.open();
  });
  const bus = quietBus({ name: `Live${count}` });
  const linking = linkBuses(bus, port1);
  far.greet('Peer');
  const remote = await linking;
  const sent = rejection(remote.dispatch(new Ask({ value: 1 })).eventResult());
  const expected = rejection(remote.expect('Never'));
  await arrived.opened;
  return { far, remote, sent, expected };
}

const source = [op.SOURCE, 0, 'handler id', 'handler', 'bus id', 'Bus', 0, 1];
const kind = [op.KIND, 0, 'Told', 'Told@0', null, false];
const wireEvent = ['Told', 'Told@0', 'an id', null, null, null, 1000, {}];
const part = [null, 1000, 1001, []];
const result = (fields: Record<number, unknown>): unknown[] =>
  Object.assign([0, null, 60, op.COMPLETED, 1, 1000, 1001, null] as unknown[], fields);

const malformed: Record<string, unknown[]> = {
  'unknown kind': [999],
  'another introduction': [...hello({ name: 'Again', id: 'again' })],
  'a kind that is a text': ['toString', 1, 2],
  'a kind that is no number': [null],
  'a frame that ends within an operation': [op.SOURCE, 0],
  'EVENT with a negative count': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, -3, {}],
  'EVENT with more values than there are': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, 50, {}],
  'EVENT with a count that is no number': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, Number.NaN, {}],
  'EVENT of unknown kind': [op.EVENT, 0, 0, 7, 1, 0, 0, null, 0, 1, {}],
  'EVENT of unknown shape': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 3, 1, 1],
  'EVENT with fewer values than its shape': [
    ...kind,
    op.SHAPE,
    1,
    ['a', 'b'],
    op.EVENT,
    0,
    0,
    0,
    1,
    0,
    0,
    null,
    1,
    1,
    1,
  ],
  'EVENT without a payload': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, 1, null],
  'EVENT whose payload has a method’s name': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, 1, { eventResult: 1 }],
  'EVENT whose payload has a framework field': [
    ...kind,
    op.SHAPE,
    1,
    ['event_id'],
    op.EVENT,
    0,
    0,
    0,
    1,
    0,
    0,
    null,
    1,
    1,
    'x',
  ],
  'EVENT of a time that no date has': [...kind, op.EVENT, 0, 0, 0, 1, 1e300, 0, null, 0, 1, {}],
  'EVENT with an id that is none': [...kind, op.EVENT, 0, 0, 0, { toString: 1 }, 0, 0, null, 0, 1, {}],
  'EVENT with half a path': [...kind, op.EVENT, 0, 0, 0, 1, 0, 0, [null, ['A'], null, null, null, null], 0, 1, {}],
  'EVENT whose number is in use': [...kind, ...[0, 0].flatMap(() => [op.EVENT, 0, 0, 0, 1, 0, 0, null, 0, 1, {}])],
  'EVENT with a number that fills the memory': [...kind, op.EVENT, 4e9, 0, 0, 1, 0, 0, null, 0, 1, {}],
  'KIND without a type': [op.KIND, 0, '', 'x', null, false],
  'KIND with a limit of 0': [op.KIND, 0, 'Told', 'Told@0', 0, false],
  'KIND without saying what completes it': [op.KIND, 0, 'Told', 'Told@0', null, 'first'],
  'SHAPE with __proto__': [op.SHAPE, 1, ['__proto__']],
  'SHAPE of nothing': [op.SHAPE, 1, null],
  'SHAPE 0': [op.SHAPE, 0, ['a']],
  'RESULT of an event that nobody sent': [...source, op.RESULT, 5, 0, op.COMPLETED, 0, 0, 0, 1, 1],
  'RESULT without a source': [op.RESULT, 0, 4, op.COMPLETED, 0, 0, 0, 1, 1],
  'RESULT of no status': [...source, op.RESULT, 0, 0, 77, 0, 0, 0, 1, 1],
  'RESULT of unknown shape': [...source, op.RESULT, 0, 0, op.COMPLETED, 0, 0, 9, 1, 1],
  'RESULT with an error that is none': [...source, op.RESULT, 0, 0, op.FAILED, 0, 0, 0, 1, { error: 7 }],
  'RESULT with half an error': [
    ...source,
    op.RESULT,
    0,
    0,
    op.FAILED,
    0,
    0,
    0,
    1,
    { error: { name: 'x', message: 'y' } },
  ],
  'RESULTS without an outcome': [op.RESULTS, 0, undefined],
  'RESULTS with an outcome that is none': [op.RESULTS, 0, [null, null, null]],
  'RESULTS with a result that is none': [op.RESULTS, 0, [null, [null, 0, 0, [null]], []]],
  'RESULTS of unknown source': [op.RESULTS, 0, [null, [null, 0, 0, [result({ 0: 8 })]], []]],
  'RESULTS with an error deep down that is none': [
    ...source,
    op.RESULTS,
    0,
    [null, [null, 0, 0, [result({ 3: op.FAILED, 4: { error: { cause: 1 } } })]], []],
  ],
  'RESULTS with a child that is not there': [...source, op.RESULTS, 0, [null, [null, 0, 0, [result({ 7: [0] })]], []]],
  'RESULTS with a child that is its own parent': [
    ...source,
    op.RESULTS,
    0,
    [null, [null, 0, 0, [result({ 7: [0] })]], [[wireEvent, [null, 1, 1, [result({ 7: [0] })]]]]],
  ],
  'RESULTS with a descendant that has a __proto__': [
    ...source,
    op.RESULTS,
    0,
    [
      null,
      [null, 0, 0, [result({ 7: [0] })]],
      [[[...wireEvent.slice(0, 7), JSON.parse('{"__proto__":{"polluted":1}}')], part]],
    ],
  ],
  'RESULTS that refuse with nothing': [op.RESULTS, 0, ['no', part, []]],
  'CANCEL without a cause': [op.CANCEL, 0, 'x'],
  'SUBSCRIBE without a description': [op.SUBSCRIBE, 1, 'Ask', null],
  'SUBSCRIBE for no pattern': [op.SUBSCRIBE, 1, '', { name: 'x', once: false, forward: null }],
  'SUBSCRIBE twice': [1, 2].flatMap(() => [op.SUBSCRIBE, 1, 'Ask', { name: 'x', once: false, forward: null }]),
  'EXPECT twice': [1, 2].flatMap(() => [op.EXPECT, 1, 'Ask', 0]),
  'OFFER of no event': [op.OFFER, 1, 1, ['Told']],
  'SOURCE in no thread': [op.SOURCE, 0, 'handler id', 'handler', 'bus id', 'Bus', -1, 'nobody'],
  'SOURCE of nobody': [op.SOURCE, 0, '', '', '', '', null, null],
  'KNOWN: it has lost what it was sent': [op.KNOWN, 0, 1, false],
};

for (const [what, frame] of Object.entries(malformed)) {
  test(`malformed - ${what}: the link ends, and all that is under way`, async () => {
    const { far, remote, sent, expected } = await live();
    far.send(...frame);
    const errors = await Promise.all([sent, expected]);
    for (const error of errors) expect(isLinkError(error)).toBe(true);
    expect((errors[0] as Error).message).toMatch(/was closed: What came from Peer can't be read: .+ malformed\.$/);
    expect(() => remote.dispatch(new Ask({ value: 2 }))).toThrow("can't be read");
    expect('polluted' in {}).toBe(false);
  });
}

test('malformed - a frame that is none', async () => {
  for (const frame of [null, undefined, 7, 'text', {}, new Map(), []]) {
    const { far, sent } = await live();
    far.port.postMessage(frame);
    expect(isLinkError(await sent)).toBe(true);
  }
});

test('malformed - a frame that is missing, comes twice, or before another', async () => {
  const skipped: ((far: FarEnd) => void)[] = [
    (far) => far.port.postMessage([op.PING, 1, 3]),
    (far) => far.port.postMessage([op.PING, 1, 1]),
    (far) => far.port.postMessage([op.PING, 1]),
  ];
  for (const send of skipped) {
    const { far, sent } = await live();
    send(far);
    expect(((await sent) as Error).message).toContain('frame 2 is missing');
  }
});

test('malformed - what comes behind is not read any more', async () => {
  const { far, sent } = await live();
  const heard: unknown[] = [];
  far.port.on('message', (frame) => heard.push(frame));
  far.send(op.PING, 1, 999, op.PING, 2);
  far.send(op.PING, 3);
  await sent;
  await ticks();
  expect(heard.flat().filter((each) => each === op.PONG).length).toBeLessThan(2);
});

test('malformed - late news of what is over are none: they are ignored', async () => {
  const { far, remote, sent, expected } = await live();
  void sent.catch(() => undefined);
  far.send(op.PROMOTE, 9, op.PROMOTE, -9, op.CANCEL, 9, { value: 1 }, op.UNSUBSCRIBE, 4, op.UNEXPECT, 3, 0);
  far.send(op.OFFER, 99, 1, wireEvent, op.UNOFFERED, 99, { value: 1 }, op.RESULTS, -99, [null, part, []]);
  far.send(...source, op.RESULT, 0, 0, op.COMPLETED, 0, 0, 0, 1, 'answer', op.KNOWN, 0, 1, false);
  await ticks();
  expect(remote.toString()).toContain('0 in flight');
  remote.close();
  await expected;
});

test('malformed - every operation of the protocol has its checks', () => {
  for (const [each, fields] of Object.entries(fieldCounts)) {
    const row = [Number(each), ...Array<unknown>(fields).fill(Symbol.iterator), 0];
    if (fields === 0 || Number(each) === op.HELLO) continue;
    expect(() => checkOperation(row, 0, row.length)).toThrow('malformed');
  }
});
