import type { Transport } from '@threadbus/link';
import { expect, onTestFinished, test } from 'vitest';
import { type Gate, gate, nextTurn } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

/** One end of a transport, with all that it has told. */
export interface End {
  readonly transport: Transport;
  readonly received: unknown[];
  readonly losses: Error[];
  readonly isLost: Gate;
  open(): void;
  /** Resolves once so many frames have come. */
  count(frames: number): Promise<void>;
}

/** Makes both ends of a transport, which are closed with the test. */
export type Pair = () => Promise<readonly [Transport, Transport]>;

export function endOf(transport: Transport): End {
  const received: unknown[] = [];
  const losses: Error[] = [];
  const isLost = gate();
  let counted: { frames: number; gate: Gate } | null = null;
  onTestFinished(() => transport.close());
  return {
    transport,
    received,
    losses,
    isLost,
    open: () =>
      transport.open(
        (frame) => {
          received.push(frame);
          if (counted !== null && received.length >= counted.frames) counted.gate.open();
        },
        (error) => {
          losses.push(error);
          isLost.open();
        },
      ),
    count: async (frames) => {
      if (received.length >= frames) return;
      counted = { frames, gate: gate() };
      await counted.gate.opened;
    },
  };
}

/** What a link relies on, whatever carries it. */
export function transportTests(name: string, pair: Pair): void {
  const ends = async (): Promise<readonly [End, End]> => {
    const [a, b] = await pair();
    return [endOf(a), endOf(b)];
  };
  const opened = async (): Promise<readonly [End, End]> => {
    const both = await ends();
    for (const end of both) end.open();
    return both;
  };

  test(`${name} - frames arrive in order and once, both ways at the same time`, async () => {
    const [a, b] = await opened();
    const frames = Array.from({ length: 2000 }, (_, i) => [i, 'x'.repeat((i * 37) % 5000)]);
    for (const frame of frames) {
      a.transport.send(frame, []);
      b.transport.send(frame, []);
    }
    await Promise.all([a.count(frames.length), b.count(frames.length)]);
    expect(a.received).toEqual(frames);
    expect(b.received).toEqual(frames);
  });

  test(`${name} - what is sent before the other side has opened is kept for it`, async () => {
    const [a, b] = await ends();
    a.transport.send('first', []);
    a.open();
    a.transport.send('second', []);
    await nextTurn();
    b.open();
    await b.count(2);
    expect(b.received).toEqual(['first', 'second']);
  });

  test(`${name} - what was sent before close still arrives, then the other side is lost, once`, async () => {
    const [a, b] = await opened();
    const frames = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(10_000));
    for (const frame of frames) a.transport.send(frame, []);
    a.transport.close();
    await b.isLost.opened;
    expect(b.received).toEqual(frames);
    expect(b.losses).toHaveLength(1);
    expect(b.losses[0]?.name).toBe('LinkError');
    b.transport.send('into the void', []);
    b.transport.close();
    await nextTurn();
    expect(b.losses).toHaveLength(1);
    expect(a.losses).toEqual([]);
  });

  test(`${name} - after its own close an end hears nothing any more, not even of its loss`, async () => {
    const [a, b] = await opened();
    a.transport.close();
    a.transport.close();
    b.transport.send('late', []);
    await b.isLost.opened;
    await nextTurn();
    expect(a.received).toEqual([]);
    expect(a.losses).toEqual([]);
  });

  test(`${name} - a value that can't be copied fails alone, as one`, async () => {
    const [a, b] = await opened();
    const bad: unknown[] = [
      { callback: () => 1 },
      [Symbol('x')],
      {
        get broken() {
          throw new Error('getter');
        },
      },
      nested(100_000),
    ];
    for (const value of bad) {
      expect(thrown(() => a.transport.send(value, []))).toMatchObject({ name: 'DataCloneError' });
    }
    a.transport.send('after', []);
    await b.count(1);
    expect(b.received).toEqual(['after']);
  });

  test(`${name} - values arrive as structured clone gives them`, async () => {
    const [a, b] = await opened();
    const shared = new Uint8Array([1, 2, 3, 4]);
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const value = {
      views: [shared.subarray(1, 3), new DataView(shared.buffer)],
      buffer: Buffer.from('node'),
      map: new Map([[{ key: 1 }, new Set([2n ** 70n])]]),
      error: new RangeError('wrong', { cause: 'why' }),
      holes: [1, , 3], // oxlint-disable-line no-sparse-arrays -- to see whether they stay
      deep: nested(1000),
      loop,
    };
    a.transport.send(value, []);
    a.transport.send('next', []);
    await b.count(2);
    const got = b.received[0] as typeof value;
    const { deep, ...rest } = got;
    const { deep: _, ...copied } = structuredClone(value);
    expect(rest).toEqual(copied);
    expect(depthOf(deep)).toBe(1000);
    expect(got.views[0]?.buffer).toBe(got.views[1]?.buffer);
    // Nobody else's bytes come along.
    expect(got.views[0]?.buffer.byteLength).toBe(4);
    expect(got.buffer).not.toBeInstanceOf(Buffer);
    expect(got.loop.self).toBe(got.loop);
    expect(1 in got.holes).toBe(false);
  });

  test(`${name} - buffers that are transferred leave the sender, unless their frame can't be copied`, async () => {
    const [a, b] = await opened();
    const kept = new ArrayBuffer(8);
    expect(() => a.transport.send({ kept, callback: () => 1 }, [kept])).toThrow(/cloned/);
    expect(kept.byteLength).toBe(8);
    const moved = new Uint8Array([1, 2, 3]);
    a.transport.send({ moved }, [moved.buffer]);
    expect(moved.byteLength).toBe(0);
    await b.count(1);
    expect(b.received).toEqual([{ moved: new Uint8Array([1, 2, 3]) }]);
  });
}

/** So many arrays in each other. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i += 1) value = [value];
  return value;
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let at = value; Array.isArray(at); at = at[0]) depth += 1;
  return depth;
}
