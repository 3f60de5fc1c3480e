import { BaseEvent } from '@threadbus/core';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { linkPair } from '../link-pair.ts';

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 5 });
}

test('remote expectations - an event that a handler got this way and awaits jumps the queue over there', async () => {
  const { here, there, down, up } = await linkPair();
  there.on('Parent', async () => {
    there.dispatch(event('Expected'));
    await up.dispatch(event('Waits'));
    return 'parent';
  });
  there.on('Expected', () => void there.dispatch(event('Child')));
  there.on('Child', () => 'child');
  const expected = down.expect('Expected');
  here.on('Waits', async () => {
    await (await expected).eventCompleted();
  });
  await down.dispatch(event('Before'));
  expect(await there.dispatch(event('Parent')).eventResult()).toBe('parent');
  const [child] = (await expected).event_children;
  expect(await child?.eventResult()).toBe('child');
});

test('remote expectations - one that is made while the expectation is on its way is not missed', async () => {
  const { here, there, down, up } = await linkPair();
  const over = gate();
  there.on('*', () => over.opened);
  up.dispatch(event('Other'));
  const earlier = down.dispatch(event('Any'));
  const expected = down.expect('Any');
  const made = there.dispatch(event('Any'));
  expect((await expected).event_id).toBe(made.event.event_id);
  // Nor is it given out twice, and what was sent over the link before the expectation isn't it.
  const next = down.expect('Any', { timeout: 0.05 }).catch((error: Error) => error.name);
  expect(await next).toBe('TimeoutError');
  over.open();
  await Promise.all([earlier, made, here.dispatch(event('Any'))]);
});

test('remote expectations - several that are on their way at once are all told of what is made meanwhile', async () => {
  const { there, down } = await linkPair();
  const over = gate();
  there.on('file.found', () => over.opened);
  const prefixed = down.expect('file.*');
  const stream = down.events('file.*');
  const made = [
    there.dispatch(event('file.found')),
    there.dispatch(event('file.found')),
    there.dispatch(event('Other')),
  ];
  expect((await prefixed).event_id).toBe(made[0]?.event.event_id);
  for (const { event: sent } of made.slice(0, 2)) expect((await stream.next()).value?.event_id).toBe(sent.event_id);
  const next = stream.next();
  const last = down.dispatch(event('file.lost'));
  expect((await next).value).toBe(last.event);
  over.open();
  await Promise.all([...made, last]);
});

test('remote events - end in order with a link that this side closes, with the reason if that is lost', async () => {
  for (const end of ['close', 'lose'] as const) {
    const { down, up } = await linkPair();
    const stream = down.events('*');
    await down.dispatch(event('Fine'));
    if (end === 'close') down.close();
    else up.close();
    expect((await stream.next()).value?.event_type).toBe('Fine');
    const last = end === 'close' ? String((await stream.next()).done) : (await rejection(stream.next())).name;
    expect(last).toBe(end === 'close' ? 'true' : 'LinkError');
  }
});

test('remote expectations - one that is made in the millisecond in which an event was offered is for later ones', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const { there, down } = await linkPair();
  const [asked, over] = [gate(), gate()];
  there.on('Any', () => over.opened);
  const refusing = new AbortController();
  const refused = down.expect('Any', {
    signal: refusing.signal,
    include: () => {
      asked.open();
      return false;
    },
  });
  const first = there.dispatch(event('Any'));
  await asked.opened;
  const expected = down.expect('Any');
  const stream = down.events('Any');
  // It is there by now: what is sent later comes later.
  await down.waitForCapacity();
  const second = there.dispatch(event('Any'));
  expect((await expected).event_id).toBe(second.event.event_id);
  expect((await stream.next()).value?.event_id).toBe(second.event.event_id);
  over.open();
  refusing.abort();
  await expect(refused).rejects.toThrow('aborted');
  await Promise.all([first, second]);
});
