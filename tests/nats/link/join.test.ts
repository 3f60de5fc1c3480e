import { isHandlerTimeoutError } from '@threadbus/core';
import { isBusNotFoundError, isLinkError, isNameTakenError, type NatsNet } from '@threadbus/nats';
import { describe, expect, test } from 'vitest';
import { Count, Echo, Runs, Square, Tell, Told, Wait } from '../../fixtures/nats/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

describe.skipIf(!hasServer)('join', () => {
  const server = sharedServer();
  const options = () => ({ servers: server().url, namespace: newNamespace() });

  async function pair(): Promise<[NatsNet, NatsNet]> {
    const same = options();
    return [await connected(same), await connected(same)];
  }

  test('join - events go there, results come back, and it ends with close', async () => {
    const [here, there] = await pair();
    const index = quietBus({ name: 'Index' });
    index.on(Square, ({ n }) => n * n);
    const offer = await there.serve(index);
    offer.unref();
    const remote = await here.join(quietBus({ name: 'Main' }), 'Index');
    expect([remote.name, remote.id, remote.status, offer.id]).toEqual(['Index', index.id, 'up', index.id]);
    const event = await remote.dispatch(new Square({ n: 7 }));
    expect(await event.eventResult()).toBe(49);
    expect(event.event_path).toEqual(['Index']);
    expect(await remote.waitUntilIdle({ timeout: 5 })).toBe(true);
    expect(await remote.logTree()).toContain('Square#');
    await remote.close();
    await remote.close();
    expect(await remote.closed).toBeNull();
    expect(() => remote.dispatch(new Square({ n: 1 }))).toThrow('The link to Index was closed here.');
  });

  test('join - calls go both ways between processes', async () => {
    const same = options();
    await Peer.start(same);
    const net = await connected(same);
    const main = quietBus({ name: 'Main' });
    const remote = await net.join(main, 'Index');
    remote.on(Told, ({ text }) => text.toUpperCase());
    expect(await remote.dispatch(new Tell({ text: 'hello' })).eventResult()).toBe('HELLO');
    const big = Buffer.alloc(5 << 20, 7);
    const echo = (await remote.dispatch(new Echo({ value: big })).eventResult()) as Uint8Array;
    expect(Buffer.compare(echo, big)).toBe(0);
    const numbers = Array.from({ length: 2000 }, (_, n) => n);
    await Promise.all(numbers.map((n) => remote.dispatch(new Count({ n }))));
    expect(await remote.dispatch(new Runs({})).eventResult()).toEqual(numbers);
  });

  test('join - a name that nobody serves is an error at once', async () => {
    const [here] = await pair();
    const started = performance.now();
    const error = await rejection(here.join(quietBus({ name: 'Main' }), 'Nobody'));
    expect(isBusNotFoundError(error)).toBe(true);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test('join - a server that does not answer is a LinkError after startTimeout', async () => {
    const same = options();
    const peer = await Peer.start(same);
    const net = await connected(same);
    peer.signal('SIGSTOP');
    const error = await rejection(net.join(quietBus({ name: 'Main' }), 'Index', { startTimeout: 0.5 }));
    expect(error.message).toBe('Index did not answer within 0.5 s.');
    expect(isLinkError(error)).toBe(true);
  });

  test('join - what waits when the link is closed here ends with a LinkError, and the server lives on', async () => {
    const same = options();
    const peer = await Peer.start(same);
    const net = await connected(same);
    const main = quietBus({ name: 'Main' });
    const remote = await net.join(main, 'Index');
    const call = remote.dispatch(new Wait({ ms: 60_000 }));
    await peer.says('waiting');
    await remote.close();
    const error = await rejection(call.eventResult());
    expect(isLinkError(error)).toBe(true);
    expect(error.message).toContain('closed here');
    const again = await net.join(main, 'Index');
    expect(again.name).toBe('Index');
  });

  test('serve - a name that is served already is refused, and free again when it is withdrawn', async () => {
    const same = options();
    const peer = await Peer.start(same);
    const net = await connected(same);
    const index = quietBus({ name: 'Index' });
    expect(isNameTakenError(await rejection(net.serve(index)))).toBe(true);
    const replica = await rejection(net.serve(index, { replicas: true }));
    expect(replica.message).toContain('{ replicas: false } already');
    const remote = await net.join(quietBus({ name: 'Main' }), 'Index');
    peer.send('withdraw');
    await peer.says('withdrawn');
    await (await net.serve(index)).close();
    expect(await remote.dispatch(new Square({ n: 3 })).eventResult()).toBe(9);
  });

  test('serve - of many that want a name at the same moment, one gets it', async () => {
    const same = options();
    const nets = await Promise.all(Array.from({ length: 5 }, () => connected(same)));
    const index = quietBus({ name: 'Index' });
    const outcomes = await Promise.allSettled(nets.map((net) => net.serve(index)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
    expect(refused.map(isNameTakenError)).toEqual([true, true, true, true]);
  });

  test('replicas - several serve one name, each can be joined, and gets a name of its own here', async () => {
    const same = options();
    await Promise.all([1, 2, 3].map(() => Peer.start({ ...same, replicas: true })));
    const net = await connected(same);
    const main = quietBus({ name: 'Main' });
    const ids = await net.replicas('Index');
    expect(ids).toHaveLength(3);
    const remotes = [];
    for (const replica of ids) remotes.push(await net.join(main, 'Index', { replica }));
    expect(remotes.map(({ name }) => name)).toEqual(['Index', 'Index2', 'Index3']);
    expect(remotes.map(({ id }) => id)).toEqual(ids);
    const event = await (remotes[2] as (typeof remotes)[0]).dispatch(new Square({ n: 4 }));
    expect(event.event_path).toEqual(['Index3']);
    expect([...event.event_results.values()].map(({ eventbus_name }) => eventbus_name)).toEqual(['Index3']);
    expect(isNameTakenError(await rejection(net.serve(quietBus({ name: 'Index' }))))).toBe(true);
    expect(isBusNotFoundError(await rejection(net.join(main, 'Index', { replica: 'nobody' })))).toBe(true);
  });

  test('join - a handler over there that takes too long ends by its own clock', async () => {
    const same = options();
    await Peer.start(same);
    const net = await connected(same);
    const remote = await net.join(quietBus({ name: 'Main' }), 'Index');
    const error = await rejection(remote.dispatch(new Wait({ ms: 60_000 }, { event_timeout: 0.3 })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    expect(error.message).toContain('Index.');
  });
});
