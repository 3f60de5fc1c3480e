import { isBusCapacityError, isHandlerTimeoutError } from '@threadbus/core';
import { isLinkLostError, type JoinedBus, type JoinOptions, LinkLostError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Block, Count, Echo, Runs, Square, Wait } from '../../fixtures/nats/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';
import { Peer, type PeerPlan } from '../helpers/peer.ts';
import { Proxy } from '../helpers/proxy.ts';

interface Setting {
  readonly server: NatsServer;
  readonly proxy: Proxy;
  readonly peer: Peer;
  readonly remote: JoinedBus;
}

/** A server, a peer that serves Index, and this process, which has joined it over a wire that can be cut. */
async function setting(options: JoinOptions = {}, plan: Partial<PeerPlan> = {}): Promise<Setting> {
  const server = await NatsServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const proxy = await Proxy.to(server.port);
  const namespace = newNamespace();
  const peer = await Peer.start({ servers: server.url, namespace, ...plan });
  const net = await connected({ servers: proxy.url, namespace });
  const remote = await net.join(quietBus({ name: 'Main' }), 'Index', options);
  return { server, proxy, peer, remote };
}

/** Callers that each wait for one answer before they ask the next, until told to stop. */
function load(
  remote: JoinedBus,
  callers: number,
): { sent: number[]; answered: number[]; errors: Error[]; stop(): Promise<void> } {
  const state = { sent: [] as number[], answered: [] as number[], errors: [] as Error[] };
  const stopping = { is: false };
  let next = 0;
  const caller = async (): Promise<void> => {
    while (!stopping.is) {
      const n = next;
      next += 1;
      try {
        const call = remote.dispatch(new Count({ n }));
        state.sent.push(n);
        state.answered.push(await call.eventResult());
      } catch (error) {
        state.errors.push(error as Error);
        return;
      }
    }
  };
  const all = Promise.all(Array.from({ length: callers }, caller));
  return {
    ...state,
    stop: async () => {
      stopping.is = true;
      await all;
    },
  };
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

async function statusIs(remote: JoinedBus, wanted: string): Promise<void> {
  if (remote.status === wanted) return;
  await new Promise<void>((resolve) => {
    const end = remote.onStatus((status) => {
      if (status !== wanted) return;
      end();
      resolve();
    });
  });
}

describe.skipIf(!hasServer)('failures', () => {
  test('broker - killed and started again under load, twice: nothing is lost, doubled or out of order', async () => {
    const { server, remote } = await setting();
    const work = load(remote, 32);
    for (let kills = 0; kills < 2; kills += 1) {
      await pause(0.4);
      await server.kill();
      await pause(0.3);
      await server.start();
      const before = work.answered.length;
      while (work.answered.length < before + 100 && work.errors.length === 0) await pause(0.02);
    }
    await work.stop();
    expect(work.errors).toEqual([]);
    expect([...work.answered].sort((a, b) => a - b)).toEqual(work.sent);
    expect(await remote.dispatch(new Runs({})).eventResult()).toEqual(work.sent);
    expect(remote.status).toBe('up');
  }, 30_000);

  test('partition - a short one delays, nothing else', async () => {
    const { proxy, remote } = await setting({ unresponsiveTimeout: 3 });
    const seen: string[] = [];
    remote.onStatus((status) => seen.push(status));
    const work = load(remote, 16);
    await pause(0.3);
    proxy.cut();
    await statusIs(remote, 'suspect');
    proxy.mend();
    await statusIs(remote, 'up');
    await pause(0.2);
    await work.stop();
    expect(seen).toEqual(['suspect', 'up']);
    expect(work.errors).toEqual([]);
    expect(await remote.dispatch(new Runs({})).eventResult()).toEqual(work.sent);
  });

  test('partition - a long one ends every call with what is known of it', async () => {
    const { proxy, remote, peer } = await setting({ unresponsiveTimeout: 1.5, maxInFlight: 2 });
    const started = remote.dispatch(new Wait({ ms: 60_000 }));
    await peer.says('waiting');
    // An answer comes behind the news of what has started.
    await remote.logTree();
    const unknown = remote.dispatch(new Square({ n: 2 }));
    const unsent = remote.dispatch(new Square({ n: 3 }));
    const expected = remote.expect('Never');
    proxy.cut();
    const errors = await Promise.all(
      [started.eventResult(), unknown.eventResult(), unsent.eventResult(), expected].map(rejection),
    );
    expect(errors.every((error) => error instanceof LinkLostError && isLinkLostError(error))).toBe(true);
    expect(errors.map((error) => (error as LinkLostError).outcome)).toEqual(['started', 'unknown', 'unsent', null]);
    expect((errors[0] as LinkLostError).eventId).toBe(started.event.event_id);
    expect((errors[0] as LinkLostError).bus).toBe('Index');
    expect(errors[0]?.message).toContain('unreachable');
    expect(remote.status).toBe('lost');
    expect(isLinkLostError(await remote.closed)).toBe(true);
    const late = new Square({ n: 4 });
    expect(() => remote.dispatch(late)).toThrow(LinkLostError);
    expect(late.event_status).toBe('pending');
  });

  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'peer - %s ends calls and waits after unresponsiveTimeout',
    async (signal) => {
      const { remote, peer } = await setting({ unresponsiveTimeout: 1 });
      const call = remote.dispatch(new Wait({ ms: 60_000 }, { event_timeout: null }));
      await peer.says('waiting');
      await remote.logTree();
      const from = performance.now();
      peer.child.kill(signal);
      const error = await rejection(call.eventResult());
      const took = performance.now() - from;
      expect((error as LinkLostError).outcome).toBe('started');
      expect(took).toBeGreaterThan(700);
      expect(took).toBeLessThan(4000);
    },
  );

  test('peer - one that was stopped for too long starts nothing of what it had got, and is lost itself', async () => {
    const { remote, peer, server } = await setting({ unresponsiveTimeout: 1 });
    peer.signal('SIGSTOP');
    const call = remote.dispatch(new Count({ n: 1 }));
    expect(isLinkLostError(await rejection(call.eventResult()))).toBe(true);
    peer.signal('SIGCONT');
    await pause(0.3);
    const again = await connected({ servers: server.url, namespace: newNamespaceOf(peer) });
    const fresh = await again.join(quietBus({ name: 'Other' }), 'Index');
    expect(await fresh.dispatch(new Runs({})).eventResult()).toEqual([]);
  });

  test('peer - one that leaves says so: calls end at once', async () => {
    const { remote, peer } = await setting({ unresponsiveTimeout: 60 });
    const call = remote.dispatch(new Wait({ ms: 60_000 }));
    await peer.says('waiting');
    peer.send('close');
    const error = await rejection(call.eventResult());
    expect(isLinkLostError(error)).toBe(true);
    expect(error.message).toContain('goodbye');
  });

  test('peer - a server whose bus is stopped ends its links', async () => {
    const { remote, peer } = await setting({ unresponsiveTimeout: 60 });
    peer.send('stop bus');
    expect(isLinkLostError(await remote.closed)).toBe(true);
    expect(remote.failure?.message).toContain('Index was stopped');
  });

  test('peer - a handler that blocks its thread makes it suspect, not lost', async () => {
    const { remote, peer } = await setting({ unresponsiveTimeout: 4.5 });
    const call = remote.dispatch(new Block({ ms: 2500 }));
    await statusIs(remote, 'suspect');
    expect(await call.eventResult()).toBe('blocked');
    expect(remote.status).toBe('up');
    const { warn } = await peer.says('warn');
    expect(warn).toMatch(/^This thread came to nothing else for [23]\.\d s: /);
  });

  test('timeout - of an event ends it here while the other side is silent', async () => {
    const { remote, peer } = await setting({ unresponsiveTimeout: 60 });
    peer.signal('SIGSTOP');
    const error = await rejection(remote.dispatch(new Square({ n: 2 }, { event_timeout: 0.5 })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    expect(error.message).toContain('Index did not complete Square');
    peer.signal('SIGCONT');
    expect(await remote.dispatch(new Square({ n: 5 })).eventResult()).toBe(25);
  });

  test('offline - what waits is bounded in events and in bytes', async () => {
    const { server, remote } = await setting({
      unresponsiveTimeout: 60,
      maxInFlight: 4,
      maxPending: 10,
      maxPendingBytes: 1 << 20,
    });
    await server.kill();
    await pause(0.1);
    const calls = Array.from({ length: 14 }, (_, n) => remote.dispatch(new Count({ n })));
    const full = () => remote.dispatch(new Count({ n: 99 }));
    expect(full).toThrow('maxPending');
    await server.start();
    expect(await Promise.all(calls.map((call) => call.eventResult()))).toEqual(calls.map((_, n) => n));
    await server.kill();
    await pause(0.1);
    const big = remote.dispatch(new Echo({ value: Buffer.alloc(2 << 20) }));
    await pause(0.01);
    let refused: unknown;
    try {
      remote.dispatch(new Count({ n: 1 }));
    } catch (error) {
      refused = error;
    }
    expect(isBusCapacityError(refused)).toBe(true);
    expect((refused as Error).message).toContain('maxPendingBytes is 1048576');
    await server.start();
    expect(((await big.eventResult()) as Uint8Array).length).toBe(2 << 20);
  });

  test('slow - a reader that is blocked gets all in the end, more than may be on the way', async () => {
    const { remote } = await setting({ unresponsiveTimeout: 60, maxPendingBytes: 200 << 20 });
    const blocked = remote.dispatch(new Block({ ms: 1500 }));
    const sizes = Array.from({ length: 24 }, () => remote.dispatch(new Echo({ value: Buffer.alloc(1 << 20) })));
    expect(await blocked.eventResult()).toBe('blocked');
    const echoed = await Promise.all(sizes.map((call) => call.eventResult()));
    expect(echoed.every((value) => (value as Uint8Array).length === 1 << 20)).toBe(true);
  }, 30_000);

  /** The namespace that the peer was started in. */
  function newNamespaceOf({ child }: Peer): string {
    return (JSON.parse(child.spawnargs.at(-1) ?? '{}') as PeerPlan).namespace;
  }
});
