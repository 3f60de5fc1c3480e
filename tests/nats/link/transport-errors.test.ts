import { BaseEvent, isUnserializableError } from '@threadbus/core';
import { connect } from '@nats-io/transport-node';
import { connectNats, isLinkLostError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { thrown } from '../../helpers/thrown.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Carry = BaseEvent.extend('Carry', { value: z.unknown() }, { result: z.string() });

describe.skipIf(!hasServer)('transport errors', () => {
  const server = sharedServer();

  async function pair() {
    const [servers, namespace] = [server().url, newNamespace()];
    const connection = await connect({ servers, maxReconnectAttempts: -1 });
    onTestFinished(() => connection.close());
    const here = await connectNats({ connection, namespace });
    onTestFinished(() => here.close());
    const there = await connected({ servers, namespace });
    const [started, open] = [gate(), gate()];
    onTestFinished(() => open.open());
    const far = quietBus({ name: 'Far', parallelHandlers: true });
    far.on(Carry, async ({ value }) => {
      if (value !== 'wait') return 'carried';
      started.open();
      await open.opened;
      return 'waited';
    });
    await there.serve(far);
    const remote = await here.join(quietBus({ name: 'Main' }), 'Far', { maxInFlight: 2 });
    return { connection, remote, started };
  }

  test('transport errors - what can not be copied fails alone, and the link goes on', async () => {
    const { remote } = await pair();
    const bad = remote.dispatch(new Carry({ value: { deep: [() => 1] } }));
    const good = remote.dispatch(new Carry({ value: 'fine' }));
    const error = await rejection(bad.eventResult());
    expect(isUnserializableError(error)).toBe(true);
    expect(error.message).toContain('value.deep[0]');
    expect([await good.eventResult(), remote.status]).toEqual(['carried', 'up']);
  });

  test('transport errors - a connection that is closed is no fault of the events that were to go over it', async () => {
    const { connection, remote, started } = await pair();
    const calls = ['wait', 'a', 'b', 'c'].map((value) => remote.dispatch(new Carry({ value })));
    await started.opened;
    const errors = Promise.all([calls[0], remote.dispatch(new Carry({ value: 'd' }))].map((call) => rejectionOf(call)));
    await connection.close();
    const late = remote.status === 'up' ? thrownOrNull(() => remote.dispatch(new Carry({ value: 'e' }))) : null;
    for (const error of await errors) expect(isLinkLostError(error)).toBe(true);
    expect(late === null || isLinkLostError(late)).toBe(true);
    expect(isLinkLostError(await remote.closed)).toBe(true);
    expect(isLinkLostError(thrown(() => remote.dispatch(new Carry({ value: 'f' }))))).toBe(true);
  });
});

async function rejectionOf(call: { eventResult(): Promise<unknown> } | undefined): Promise<Error> {
  return rejection(call?.eventResult() ?? Promise.resolve());
}

function thrownOrNull(call: () => unknown): Error | null {
  try {
    call();
    return null;
  } catch (error) {
    return error as Error;
  }
}
