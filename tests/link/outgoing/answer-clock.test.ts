import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { isLinkError, linkBuses, type LinkedBus } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, test, type TestContext } from 'vitest';
import { ASK, CANCEL, COMPLETED, EVENT, KNOWN, RESULT, SOURCE } from '../../../packages/link/dist/wire/protocol.js';
import { gate, rejection, stateOf } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { mutatingPair } from '../connection/mutating-pair.ts';
import { FarEnd } from '../far-end.ts';

const Brief = BaseEvent.extend('Brief', {}, { timeout: 0.5 });
const Endless = BaseEvent.extend('Endless', {}, { timeout: null });

interface Silent {
  readonly far: FarEnd;
  readonly remote: LinkedBus;
  /** Resolves when the other end has been told operations of that kind so many times. */
  readonly heard: (kind: number, times?: number) => Promise<void>;
  readonly operations: (readonly unknown[])[];
}

/** The other end is there and takes what comes, but answers nothing by itself. */
async function silent(name: string, context: TestContext): Promise<Silent> {
  const { port1, port2 } = new MessageChannel();
  context.onTestFinished(() => port2.close());
  const operations: (readonly unknown[])[] = [];
  const looks: (() => void)[] = [];
  const far = new FarEnd(port2, (operation) => {
    operations.push(operation);
    for (const look of looks) look();
  });
  const linking = linkBuses(quietBus({ name }, context), port1);
  far.greet(`${name}Peer`);
  const remote = await linking;
  const heard = (kind: number, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (operations.filter(([each]) => each === kind).length >= times) resolve();
      };
      looks.push(look);
      look();
    });
  return { far, remote, heard, operations };
}

// Each waits for some looks of a clock, which takes seconds and no work: all wait together.
describe.concurrent('answer clock', () => {
  test('answer clock - an event of a side that says nothing any more ends after its time, and its late answer is no harm', async (context) => {
    const { far, remote, heard, operations } = await silent('Mute', context);
    const brief = remote.dispatch(new Brief({}));
    const error = await rejection(brief.eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    expect(error).toMatchObject({ timeout: 0.5, busName: 'MutePeer' });
    expect(error.message).toContain('says nothing any more');
    await heard(CANCEL);
    expect(operations.map(([kind]) => kind)).toContain(ASK);
    expect(remote.toString()).toContain('0 in flight');
    // The number is taken until it is answered for: the next event has another one.
    const second = remote.dispatch(new Endless({})).eventResult();
    await heard(EVENT, 2);
    const numbers = operations.filter(([kind]) => kind === EVENT).map(([, number]) => number as number);
    expect(new Set(numbers).size).toBe(2);
    far.send(SOURCE, 0, 'id', 'handler', 'bus id', 'Bus', 0, 1);
    for (const number of numbers) far.send(RESULT, number, 0, COMPLETED, 0, 0, 0, 1, `answer ${number}`);
    expect(await second).toBe(`answer ${numbers[1]}`);
    expect(isHandlerTimeoutError(await rejection(brief.eventResult()))).toBe(true);
  });

  test('answer clock - a side that still has the event may take its time', async (context) => {
    const { far, remote, heard, operations } = await silent('Slow', context);
    const sent = remote.dispatch(new Brief({})).eventResult();
    for (let times = 1; times <= 3; times += 1) {
      await heard(ASK, times);
      const [, number, order] = operations.filter(([kind]) => kind === ASK).at(-1) as unknown[];
      far.send(KNOWN, number, order, true);
    }
    expect(await stateOf(sent)).toBe('pending');
    far.send(SOURCE, 0, 'id', 'handler', 'bus id', 'Bus', 0, 1, RESULT, 0, 0, COMPLETED, 0, 0, 0, 1, 'at last');
    expect(await sent).toBe('at last');
  });

  test('answer clock - one that has not is at the end of the link', async (context) => {
    const { far, remote, heard, operations } = await silent('Forgetful', context);
    const sent = rejection(remote.dispatch(new Endless({})).eventResult());
    await heard(ASK);
    const [, number, order] = operations.find(([kind]) => kind === ASK) as unknown[];
    far.send(KNOWN, number, order, false);
    expect(isLinkError(await sent)).toBe(true);
  });

  for (const lost of ['down', 'up'] as const) {
    test(`answer clock - a frame that never arrives, the last on its way ${lost}, ends the link on both sides`, async (context) => {
      const dropped = gate();
      let armed = false;
      const [down, up] = mutatingPair((frame, direction) => {
        if (!armed || direction !== lost) return [frame];
        armed = false;
        dropped.open();
        return [];
      });
      const here = quietBus({ name: `HereLost${lost}` }, context);
      const there = quietBus({ name: `ThereLost${lost}` }, context);
      const door = gate();
      there.on(Endless, async () => {
        await door.opened;
        armed = lost === 'up';
      });
      const [remote, back] = await Promise.all([linkBuses(here, down), linkBuses(there, up)]);
      armed = lost === 'down';
      const sent = rejection(remote.dispatch(new Endless({})).eventResult());
      door.open();
      await dropped.opened;
      const error = await sent;
      expect(isLinkError(error)).toBe(true);
      expect(isLinkError(await rejection(back.expect('Never')))).toBe(true);
    });
  }
});
