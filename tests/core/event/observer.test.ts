import { BaseEvent, type BusObserver } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Ping = BaseEvent.extend('Ping', {});

test('observer - hears of each handler and each forward that it started and that it ended', async () => {
  const [bus, other] = [quietBus(), quietBus({ name: 'ObservedOther' })];
  const told: string[] = [];
  const observer: BusObserver = {
    handlerStarted: (_event, { handler_name }) => void told.push(`+${handler_name}`),
    handlerEnded: (_event, { handler_name, status }) => void told.push(`-${handler_name} ${status}`),
  };
  bus.observe(observer);
  bus.on(Ping, function plain() {});
  bus.on('*', other.dispatch);
  await bus.dispatch(new Ping({}));
  await other.stop();
  await bus.dispatch(new Ping({}));
  expect(told).toEqual([
    '+plain',
    '-plain completed',
    '+ObservedOther.dispatch',
    '-ObservedOther.dispatch completed',
    '+plain',
    '-plain completed',
    '+ObservedOther.dispatch',
    '-ObservedOther.dispatch error',
  ]);
});
