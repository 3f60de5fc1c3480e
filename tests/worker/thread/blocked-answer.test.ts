import { BaseEvent } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';

const isolations = ['thread', 'process'] as const;
const types = ['Given', 'GivenLater', 'Thrown', 'GivenBehindChild'];
const cases = isolations.flatMap((isolation) => types.map((type) => ({ isolation, type })));

test.each(cases)(
  'blocked answer - what a handler gives and blocks its $isolation as it is read ($type) is ended by its time',
  { timeout: 30_000 },
  async ({ isolation, type }) => {
    const bus = await WorkerBus.start(fixtureUrl('worker/endless-answer-bus'), { isolation });
    onTestFinished(() => bus.stop({ timeout: 0 }));

    const event = new BaseEvent({}, { event_type: type, event_timeout: 0.3 });
    const error = await rejection(bus.dispatch(event).eventResult());
    expect(error.message).toMatch(/timed out after 0\.3s and blocked its thread/);
    // Nobody can look into another process.
    expect(error.message.includes('endless-answer-bus')).toBe(isolation === 'thread');
    // The replacement serves what comes next.
    expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Plain' })).eventResult()).toBe('fine');
  },
);

test.each(isolations)(
  'blocked answer - once all is answered, no handler of the %s is shown any more',
  { timeout: 30_000 },
  async (isolation) => {
    const bus = await WorkerBus.start(fixtureUrl('worker/endless-answer-bus'), { isolation });
    onTestFinished(() => bus.stop({ timeout: 0 }));
    const plain = Array.from({ length: 100 }, () => bus.dispatch(new BaseEvent({}, { event_type: 'Plain' })));
    await Promise.all(plain);
    expect(await bus.waitUntilIdle({ timeout: 10 })).toBe(true);
    expect(await bus.whereIs()).toEqual([]);
  },
);
