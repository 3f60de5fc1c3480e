import { BaseEvent } from '@threadbus/core';
import { isLinkError, linkBuses } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { hello } from '../../../packages/link/dist/wire/handshake.js';
import { EVENT, HELLO, oldestVersion, protocolVersion } from '../../../packages/link/dist/wire/protocol.js';
import { nextTurn, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { FarEnd } from '../far-end.ts';

function begin(name: string): { linking: ReturnType<typeof linkBuses>; far: FarEnd; heard: unknown[][] } {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port2.close());
  const heard: unknown[][] = [];
  const far = new FarEnd(port2, (operation) => heard.push([...operation]));
  return { linking: linkBuses(quietBus({ name }), port1), far, heard };
}

/** The introduction of a side that speaks these versions. */
function introduction(oldest: number, newest: number): unknown[] {
  const operation = [...hello({ name: 'Peer', id: 'peer id' })];
  operation[1] = newest;
  operation[6] = oldest;
  return operation;
}

test('handshake - each side says which versions it speaks', async () => {
  const { linking, far, heard } = begin('Speaks');
  far.greet('Peer');
  await linking;
  while (heard.length === 0) await nextTurn();
  const [kind, newest, name] = heard[0] as unknown[];
  expect([kind, newest, name, heard[0]?.[6]]).toEqual([HELLO, protocolVersion, 'Speaks', oldestVersion]);
});

test('handshake - versions without one in common are refused, with both ranges, also to the other side', async () => {
  for (const [oldest, newest] of [
    [6, 9],
    [99, 99],
    [1, 4],
  ] as const) {
    const { linking, far, heard } = begin(`Refuses${oldest}`);
    far.send(...introduction(oldest, newest));
    const error = await rejection(linking);
    expect(isLinkError(error)).toBe(true);
    const ranges = newest < 5 ? `${newest}..${newest}` : `${oldest}..${newest}`;
    expect(error.message).toContain(
      `Peer speaks version ${newest} of the link protocol (${ranges}), this side 5 (5..5)`,
    );
    expect(error.message).toContain('Use the same version');
    // It has introduced itself, too: so the other side can say the same.
    while (heard.length === 0) await nextTurn();
    expect(heard.map(([kind]) => kind)).toEqual([HELLO]);
  }
});

test('handshake - the introduction of version 4, where frames had no number', async () => {
  const { linking, far } = begin('Newer');
  far.port.postMessage([HELLO, 4, 'Older', 'older id', { first: 1, salt: 2 }, Date.now()]);
  expect((await rejection(linking)).message).toContain(
    'Older speaks version 4 of the link protocol (4..4), this side 5 (5..5)',
  );
});

test('handshake - a newer side that still speaks this version is welcome', async () => {
  const { linking, far, heard } = begin('Welcomes');
  far.send(...introduction(3, 12));
  const remote = await linking;
  remote.dispatch(new BaseEvent({}, { event_type: 'Any' }));
  while (!heard.some(([kind]) => kind === EVENT)) await nextTurn();
  expect(remote.name).toBe('Peer');
});

test('handshake - what is none ends the link', async () => {
  const good = hello({ name: 'Peer', id: 'peer id' });
  const bad: unknown[][] = [
    [],
    [EVENT, 0, 0, 0, 1, 0, 0, null, 0, 1, {}],
    [HELLO],
    [HELLO, 'five', 'Peer', 'id'],
    [...good.slice(0, 2), '', ...good.slice(3)],
    [...good.slice(0, 3), 7, ...good.slice(4)],
    [...good.slice(0, 4), null, ...good.slice(5)],
    [...good.slice(0, 5), Number.NaN, ...good.slice(6)],
  ];
  for (const [at, frame] of bad.entries()) {
    const { linking, far } = begin(`Strict${at}`);
    far.send(...frame);
    const error = await rejection(linking);
    expect(isLinkError(error)).toBe(true);
  }
  for (const frame of [null, undefined, 'text', 7, {}, { length: 3, 0: HELLO }]) {
    const { linking, far } = begin('StrictToo');
    far.port.postMessage(frame);
    expect(isLinkError(await rejection(linking))).toBe(true);
  }
});
