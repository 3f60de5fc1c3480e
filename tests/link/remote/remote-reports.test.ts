import { BaseEvent, type EventBus, type LogFields } from '@threadbus/core';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { linked } from '../link-pair.ts';

const Job = BaseEvent.extend('Job', {});
const levels = ['debug', 'info', 'warn', 'error'] as const;

interface Told {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A bus, and what it logs. */
function telling(name: string): { bus: EventBus; told: Told[] } {
  const told: Told[] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void told.push({ level, message, fields });
  const [debug, info, warn, error] = levels.map(at) as [never, never, never, never];
  return { bus: quietBus({ name, logger: { debug, info, warn, error } }), told };
}

function errorsOf({ told }: { told: Told[] }): string[] {
  return told.flatMap(({ level, message }) => (level === 'error' ? [message.split('\n')[0] as string] : []));
}

function fail(): never {
  throw new RangeError('too big');
}

test('remote reports - what the sender of an event gets is logged at debug on the bus that ran it, and nowhere else', async () => {
  const [here, there] = [telling('Caller'), telling('Worker')];
  const { down } = await linked(here.bus, there.bus);
  there.bus.on(Job, fail);
  here.bus.on(Job, down.dispatch);
  await expect(down.dispatch(new Job({})).eventResult()).rejects.toThrow('too big');
  expect(await here.bus.dispatch(new Job({})).eventErrors()).toHaveLength(1);
  expect(there.told.map(({ level }) => level)).toEqual(['debug', 'debug']);
  expect(here.told).toEqual([]);
});

test('remote reports - what nobody has got is logged once, by the side that sent the event', async () => {
  const [here, there] = [telling('Sender'), telling('Runner')];
  const { down, up } = await linked(here.bus, there.bus);
  there.bus.on(Job, fail);
  here.bus.on('Other', fail);
  const event = await down.dispatch(new Job({}));
  await up.dispatch(new BaseEvent({}, { event_type: 'Other' }));
  expect(errorsOf(here)).toEqual([expect.stringMatching(/^Runner\.fail\(Job#\w{4}\) failed: RangeError: too big$/)]);
  expect(here.told.find(({ level }) => level === 'error')?.fields).toMatchObject({
    event_id: event.event_id,
    bus: 'Runner',
    handler: 'fail',
    err: { message: 'too big' },
  });
  expect(errorsOf(there)).toEqual([expect.stringMatching(/^Sender\.fail\(Other#/)]);
});

test('remote reports - over several buses it is the first one’s, however many passed it on', async () => {
  const [first, second, third] = [telling('First'), telling('Second'), telling('Third')];
  const { down } = await linked(first.bus, second.bus);
  const { down: further } = await linked(second.bus, third.bus);
  first.bus.on(Job, down.dispatch);
  second.bus.on(Job, further.dispatch);
  third.bus.on(Job, fail);
  await first.bus.dispatch(new Job({}));
  expect([errorsOf(first).length, errorsOf(second).length, errorsOf(third).length]).toEqual([1, 0, 0]);
  await first.bus.dispatch(new Job({})).eventErrors();
  expect([errorsOf(first).length, errorsOf(second).length, errorsOf(third).length]).toEqual([1, 0, 0]);
});

test('remote reports - an event that was dispatched on the far bus itself is that one’s to report', async () => {
  const [here, there] = [telling('Watcher'), telling('Origin')];
  const { up } = await linked(here.bus, there.bus);
  there.bus.on(Job, fail);
  there.bus.on('*', up.dispatch);
  here.bus.on(Job, function alsoFails() {
    throw new TypeError('here too');
  });
  await there.bus.dispatch(new Job({}));
  expect(errorsOf(there)).toHaveLength(2);
  expect(errorsOf(here)).toEqual([]);
});

test('remote reports - where the link is gone before the results are, the bus that ran the handler reports', async () => {
  const [here, there] = [telling('Gone'), telling('Alone')];
  const { down, ports } = await linked(here.bus, there.bus);
  const heard = once(ports[1], 'close');
  const [begun, cut] = [gate(), gate()];
  there.bus.on(Job, async () => {
    begun.open();
    await cut.opened;
    fail();
  });
  const lost = down.dispatch(new Job({})).eventErrors();
  await begun.opened;
  ports[0].close();
  expect(await lost).toMatchObject([{ name: 'LinkError' }]);
  await heard;
  cut.open();
  await there.bus.waitUntilIdle();
  expect(errorsOf(there)).toHaveLength(1);
  expect(errorsOf(here)).toEqual([]);
});
