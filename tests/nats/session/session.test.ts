import { describe, expect, test } from 'vitest';
import { nextTurn } from '../../helpers/gate.ts';
import { isUnserializableError } from '@threadbus/core';
import { LossyNet, transportPair } from './lossy-net.ts';
import { headerSize, makePacket } from '../../../packages/nats/dist/session/packet.js';
import { Session } from '../../../packages/nats/dist/session/session.js';

const none = { lost: 0, doubled: 0, late: 0, cut: 0 };
const all = { lost: 60, doubled: 60, late: 100, cut: 10 };

/** Two sessions, what each has got, and how they ended. */
function sessions(seed: number, faults = none, { maxSize = 64, window = 400, maxFrame = 10_000 } = {}) {
  const net = new LossyNet(seed, faults, maxSize);
  const got: [string[], string[]] = [[], []];
  const ends: [string[], string[]] = [[], []];
  const make = (at: 0 | 1): Session =>
    new Session(
      net.ends[at],
      { window, maxFrame, clock: () => net.now },
      {
        frame: (bytes) => got[at].push(Buffer.from(bytes).toString()),
        goodbye: (reason) => ends[at].push(`goodbye: ${reason}`),
        broken: (error) => ends[at].push(`broken: ${error.message}`),
        heard: () => true,
      },
    );
  const pair = [make(0), make(1)] as const;
  for (const session of pair) session.open();
  const settle = (steps = 400): void => {
    for (let i = 0; i < steps; i += 1) net.step(() => pair.forEach((session) => session.tick()));
  };
  return { net, pair, got, ends, settle };
}

describe('session', () => {
  test('session - frames of every size arrive once and in order, over a carrier that spoils them', () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const { net, pair, got, settle } = sessions(seed, all);
      const frames = Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat((i * 37) % 300)}`);
      for (const frame of frames) {
        pair[0].send(Buffer.from(frame));
        pair[1].send(Buffer.from(frame.toUpperCase()));
      }
      settle(3000);
      expect(got[1], `seed ${seed} ${JSON.stringify(net.counts)}`).toEqual(frames);
      expect(got[0], `seed ${seed}`).toEqual(frames.map((frame) => frame.toUpperCase()));
      expect([pair[0].pendingBytes, pair[1].pendingBytes]).toEqual([0, 0]);
    }
  });

  test('session - the carrier of these tests does spoil them', () => {
    const { net, pair, settle } = sessions(7, all);
    for (let i = 0; i < 100; i += 1) pair[0].send(Buffer.from(`${i}`));
    settle(2000);
    for (const count of Object.values(net.counts)) expect(count).toBeGreaterThan(0);
  });

  test('session - no more than the window is on the way while the other side is silent', () => {
    const { net, pair, got, settle } = sessions(1);
    net.ends[1].receive = () => undefined;
    for (let i = 0; i < 100; i += 1) pair[0].send(Buffer.alloc(40));
    expect(pair[0].pendingBytes).toBeGreaterThanOrEqual(4000);
    expect(net.counts.sent * 54).toBeLessThan(400 + 64);
    settle(20);
    expect(got[1]).toEqual([]);
  });

  test('session - a last packet that was lost is found missing by the beat', () => {
    const { net, pair, got, settle } = sessions(1);
    const { receive } = net.ends[1];
    net.ends[1].receive = () => undefined;
    pair[0].send(Buffer.from('last'));
    net.step(() => undefined);
    net.ends[1].receive = receive;
    settle(10);
    expect(got[1]).toEqual(['last']);
  });

  test('session - what was sent before close arrives before the goodbye', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { pair, got, ends, settle } = sessions(seed, { ...none, lost: 20, doubled: 100 });
      for (let i = 0; i < 20; i += 1) pair[0].send(Buffer.from(`${i}`));
      const closed = pair[0].close('done here');
      settle(300);
      await closed;
      expect(got[1].length, `seed ${seed}`).toBe(20);
      // The goodbye itself may be lost: then silence tells.
      expect(ends[1].length === 0 || ends[1][0] === 'goodbye: done here').toBe(true);
    }
  });

  test('session - close gives up after two seconds when nobody acknowledges', async () => {
    const { net, pair, settle } = sessions(1);
    net.ends[1].receive = () => undefined;
    pair[0].send(Buffer.from('x'));
    const closed = pair[0].close('bye');
    settle(20);
    await closed;
    expect(net.now).toBeGreaterThan(2000);
    expect(pair[0].pendingBytes).toBe(0);
  });

  test.each([
    ['too short', Buffer.alloc(5)],
    ['of no kind', Buffer.alloc(headerSize)],
    ['acknowledging what was never sent', makePacket(2, 0, 0, 99, new Uint8Array(0))],
  ])('session - a packet that is %s breaks it, once', (_what, packet) => {
    const { net, ends } = sessions(1);
    net.ends[0].receive(packet);
    net.ends[0].receive(packet);
    expect(ends[0]).toEqual(['broken: a packet came that is none of this session']);
  });

  test('session - a packet that the carrier refuses breaks it, once, and the other side is told', async () => {
    const { net, pair, got, ends, settle } = sessions(1);
    const send = net.ends[0].send.bind(net.ends[0]);
    pair[0].send(Buffer.from('before'));
    net.ends[0].send = (packet) => {
      if (packet.length > 60) throw new Error('too large');
      send(packet);
    };
    // Not while it sends: who sends is in the middle of it.
    for (const text of ['x'.repeat(50), 'after']) pair[0].send(Buffer.from(text));
    expect(ends[0]).toEqual([]);
    await nextTurn();
    settle(5);
    expect(ends).toEqual([['broken: too large'], ['goodbye: what it has to send can not leave']]);
    expect(got[1]).toEqual(['before']);
  });

  test('session - a frame of more bytes than agreed breaks it before it is whole', () => {
    const { net, pair, ends, settle } = sessions(1, none, { maxFrame: 100 });
    pair[0].send(Buffer.alloc(5000));
    settle(3);
    expect(ends[1]).toEqual(['broken: a frame of more than 100 bytes came (maxEventBytes)']);
    expect(net.counts.sent).toBeLessThan(20);
  });
});

describe('session transport', () => {
  test('session transport - a value that is too large fails alone, with its size', () => {
    const { transports } = transportPair(1, none);
    transports[0].open(
      () => undefined,
      () => undefined,
    );
    let thrown: unknown;
    try {
      transports[0].send([Buffer.alloc(2 << 20)], []);
    } catch (error) {
      thrown = error;
    }
    expect(isUnserializableError(thrown)).toBe(true);
    expect((thrown as Error).message).toMatch(/^too large: 20971\d\d bytes, and maxEventBytes is 1048576$/);
  });

  test('session transport - a frame that can not be read is a loss, told once', () => {
    const { net, transports } = transportPair(1, none);
    const lost: Error[] = [];
    transports[1].open(
      () => undefined,
      (error) => lost.push(error),
    );
    transports[0].open(
      () => undefined,
      () => undefined,
    );
    // A batch of one frame of three bytes, which are nothing that V8 has written.
    transports[0].session.send(Buffer.from([0, 0, 0, 3, 0, 0, 2]));
    transports[0].session.send(Buffer.from([9]));
    for (let i = 0; i < 5; i += 1) net.step(() => undefined);
    expect(lost.map(({ message }) => message)).toEqual(['A frame of the other side could not be read.']);
  });

  test('session transport - what finds the way free leaves at once, what follows in that turn as one packet behind it', async () => {
    const { net, transports } = transportPair(1, none, { maxSize: 4096 });
    const got: unknown[] = [];
    transports[1].open(
      (frame) => got.push(frame),
      () => undefined,
    );
    transports[0].open(
      () => undefined,
      () => undefined,
    );
    for (let n = 0; n < 10; n += 1) transports[0].send([n], []);
    expect(net.counts.sent).toBe(1);
    expect(transports[0].pendingBytes).toBeGreaterThan(0);
    await nextTurn();
    expect(net.counts.sent).toBe(2);
    net.step(() => undefined);
    expect(got).toEqual(Array.from({ length: 10 }, (_, n) => [n]));
  });

  test('session transport - a transferred buffer is gone here and whole there', async () => {
    const { net, transports } = transportPair(1, none);
    const got: unknown[] = [];
    transports[1].open(
      (frame) => got.push(frame),
      () => undefined,
    );
    transports[0].open(
      () => undefined,
      () => undefined,
    );
    const { buffer } = Uint8Array.of(1, 2, 3);
    transports[0].send([buffer], [buffer]);
    await nextTurn();
    for (let i = 0; i < 5; i += 1) net.step(() => undefined);
    expect(buffer.byteLength).toBe(0);
    expect(got).toEqual([[Uint8Array.of(1, 2, 3).buffer]]);
  });
});
