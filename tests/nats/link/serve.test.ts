import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isBusStoppedError, isHandlerTimeoutError } from '@threadbus/core';
import { connectNats, isNatsUnavailableError } from '@threadbus/nats';
import { WorkerBus } from '@threadbus/worker';
import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Block, Square } from '../../fixtures/nats/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

const run = promisify(execFile);

describe.skipIf(!hasServer)('serve', () => {
  const server = sharedServer();
  const options = () => ({ servers: server().url, namespace: newNamespace() });

  test('serve - a WorkerBus is served as it is, and a timeout still ends what blocks it', async () => {
    const same = options();
    const [here, there] = [await connected(same), await connected(same)];
    const worker = await WorkerBus.start(fixtureUrl('nats/blocking-bus'));
    onTestFinished(() => worker.stop());
    await there.serve(worker);
    const remote = await here.join(quietBus({ name: 'Main' }), 'Inner');
    expect(await remote.dispatch(new Square({ n: 5 })).eventResult()).toBe(25);
    const blocked = remote.dispatch(new Block({ ms: 60_000 }, { event_timeout: 0.5 }));
    expect(isHandlerTimeoutError(await rejection(blocked.eventResult()))).toBe(true);
    expect(await remote.dispatch(new Square({ n: 6 })).eventResult()).toBe(36);
  });

  test.each(['like', 'behind'])(
    'serve - a server that was stopped loses its name to another, whose clock is %s its own, and says so when it goes on',
    async (clock) => {
      const same = options();
      if (clock === 'behind') {
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 });
        onTestFinished(() => void vi.useRealTimers());
      }
      const peer = await Peer.start(same);
      peer.signal('SIGSTOP');
      const net = await connected(same);
      const index = quietBus({ name: 'Index' });
      const offer = await net.serve(index);
      peer.signal('SIGCONT');
      const warnings = (): string[] => peer.messages.map(({ warn }) => (typeof warn === 'string' ? warn : ''));
      await expect
        .poll(() => warnings().some((text) => text.includes('takes no new joins')), { timeout: 5000 })
        .toBe(true);
      expect(await net.replicas('Index')).toEqual([index.id]);
      expect(offer.isClosed).toBe(false);
    },
  );

  test('serve and join - a bus that is stopped is refused', async () => {
    const net = await connected(options());
    const bus = quietBus({ name: 'Gone' });
    await bus.stop();
    expect(isBusStoppedError(await rejection(net.serve(bus)))).toBe(true);
    expect(isBusStoppedError(await rejection(net.join(bus, 'Other')))).toBe(true);
    const worker = await WorkerBus.start(fixtureUrl('nats/blocking-bus'));
    await worker.stop();
    expect(isBusStoppedError(await rejection(net.serve(worker)))).toBe(true);
  });

  test('serve - a bus that is offered twice as its own replica is one for those that join it', async () => {
    const same = options();
    const [here, there] = [await connected(same), await connected(same)];
    const bus = quietBus({ name: 'Twice' });
    bus.on(Square, ({ n }) => n * n);
    await there.serve(bus, { replicas: true });
    await there.serve(bus, { replicas: true });
    const raw = await connect({ servers: same.servers });
    onTestFinished(() => raw.close());
    const requests: string[] = [];
    raw.subscribe(`threadbus.${same.namespace}.bus.Twice.join.*`, {
      callback: (_error, { reply = '' }) => void requests.push(reply),
    });
    let answers = 0;
    raw.subscribe('_INBOX.threadbus.>', {
      callback: (_error, { subject }) => void (answers += requests.includes(subject) ? 1 : 0),
    });
    await raw.flush();
    const remote = await here.join(quietBus({ name: 'Main' }), 'Twice', { replica: bus.id });
    expect(await remote.dispatch(new Square({ n: 5 })).eventResult()).toBe(25);
    await raw.flush();
    expect(answers).toBe(1);
  });

  test('serve - what is no bus is refused, with what to do', async () => {
    const net = await connected(options());
    const error = await rejection(net.serve((() => 1) as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('Put a handler behind a bus');
  });

  test('connect - a process that has only joined ends by itself', async () => {
    const same = options();
    await Peer.start(same);
    const { stdout } = await run(process.execPath, [fileURLToPath(fixtureUrl('nats/idle-net')), JSON.stringify(same)], {
      timeout: 15_000,
    });
    expect(stdout).toBe('36\n');
  });

  test('connect - a given connection is used, and left to its owner', async () => {
    const connection = await connect({ servers: server().url, maxReconnectAttempts: -1 });
    onTestFinished(() => connection.close());
    const net = await connectNats({ connection, namespace: newNamespace() });
    const index = quietBus({ name: 'Index' });
    index.on(Square, ({ n }) => n * n);
    await net.serve(index);
    await net.close();
    expect(connection.isClosed()).toBe(false);
    expect(isNatsUnavailableError(await rejection(net.serve(index)))).toBe(true);
  });

  test('connect - a server that is not there is an error after connectTimeout', async () => {
    const from = performance.now();
    const error = await rejection(
      connectNats({ servers: 'nats://127.0.0.1:1', namespace: 'shop', connectTimeout: 0.6 }),
    );
    expect(isNatsUnavailableError(error)).toBe(true);
    expect(error.message).toContain('Is a server running there? nats-server -js starts one');
    expect(performance.now() - from).toBeGreaterThan(250);
    expect((await rejection(connectNats({ namespace: 'a shop' }))).message).toContain('namespace');
    expect((await rejection(connectNats({ namespace: 'shop', server: 'x' } as never))).message).toContain("'server'");
  });
});
