import { BaseEvent } from '@threadbus/core';
import { isLookedOn } from '@threadbus/core/internal';
import { expect, test } from 'vitest';
import { Look, openInspector } from '../../helpers/inspector-page.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const event = (event_type: string, payload: object = {}): BaseEvent => new BaseEvent(payload, { event_type });

test('viewer - who comes later sees what there is, and nothing twice', async () => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Late' });
  const first = await page.look();
  await first.agent(0);
  await bus.dispatch(event('Early'));
  await first.event('Early', ({ done }) => done !== null);
  const second = await page.look();
  expect((await second.event('Early')).done).not.toBeNull();
  await bus.dispatch(event('Later'));
  await Promise.all([first.event('Later'), second.event('Later')]);
});

test('viewer - one that stops reading misses changes, is told how many, and sees what there is then', async () => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Long', maxPending: null });
  const names = Array.from({ length: 100 }, (_, n) => `${n}`.padEnd(250, 'x'));
  for (const name of names) bus.on('Loud', { [name]: () => 1 }[name] as () => number);
  const stream = await page.begin('/events');
  const look = await page.look();
  await look.agent(0);
  stream.pause();
  // Each that is shown is 50 kB: until more than what the system keeps, and a megabyte, is unread. A page is shown so many
  // calls a second, so that most of these events are in nobody's way.
  const untilShown = async (type: string, count: number): Promise<void> => {
    while (look.ofType(type).length < count) {
      await bus.dispatch(event(type));
      // Faster would be a flood, of which a page is shown less.
      await new Promise((resolve) => void setTimeout(resolve, 5));
    }
  };
  await untilShown('Loud', 250);
  await untilShown('Last', 1);
  const slow = new Look(stream);
  stream.resume();
  await slow.event('Last');
  expect(slow.missed).toBeGreaterThan(0);
  slow.end();
}, 60_000);

test('viewer - at most sixteen at a time; each that goes makes room, and the last ends the watching', async () => {
  const page = await openInspector();
  const looks = [];
  for (let n = 0; n < 16; n += 1) looks.push(await page.look());
  expect((await page.ask('/events')).status).toBe(503);
  looks.pop()?.end();
  let status = 503;
  while (status === 503) {
    const response = await page.begin('/events');
    status = response.statusCode ?? 0;
    response.destroy();
  }
  expect(status).toBe(200);
  for (const look of looks) look.end();
  while (isLookedOn()) await page.ask('/top');
});
