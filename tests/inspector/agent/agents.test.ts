import { BaseEvent, type EventBus } from '@threadbus/core';
import { isLookedOn } from '@threadbus/core/internal';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate } from '../../helpers/gate.ts';
import { openInspector } from '../../helpers/inspector-page.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const event = (event_type: string, payload: object = {}, more: object = {}): BaseEvent =>
  new BaseEvent(payload, { event_type, ...more });

async function farBus(parent: EventBus, isolation: 'thread' | 'process' = 'thread'): Promise<WorkerBus> {
  const bus = await WorkerBus.start(fixtureUrl('inspector/far-bus'), { parent, isolation });
  onTestFinished(() => bus.stop());
  return bus;
}

function pooled(bus: EventBus): HandlerPool {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  bus.on('Crunch', pool.handler(fixtureUrl('inspector/task')));
  return pool;
}

test('agents - report of threads that were started before anybody looked, and after', async () => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Main' });
  const before = await farBus(bus);
  const look = await page.look();
  await look.agent(before.threadId);
  const after = await farBus(bus);
  await look.agent(after.threadId);
  for (const far of [before, after]) {
    await far.dispatch(event('FileFound')).eventCompleted();
    const stored = await look.event('Stored', ({ calls }) => calls[0]?.thread === far.threadId);
    // Born there, and never here.
    expect(stored.calls).toMatchObject([
      { handler: 'store', bus: far.name, status: 'completed', thread: far.threadId },
    ]);
    const found = await look.until(() => look.events.get(stored.parent ?? ''));
    expect([found.type, found.calls[0]?.thread]).toEqual(['FileFound', far.threadId]);
  }
});

test.each(['thread', 'process'] as const)(
  'agents - one tree over main, a pool and a bus in a %s',
  async (isolation) => {
    const page = await openInspector();
    const bus = quietBus({ name: 'Main' });
    const far = await farBus(bus, isolation);
    pooled(bus);
    bus.on('FileFound', far.dispatch);
    bus.on('Request', async function answer() {
      await bus.dispatch(event('Crunch', { n: 2 }));
      await bus.dispatch(event('FileFound'));
    });
    bus.on('Progress', function progress() {});
    const look = await page.look();
    await look.agent(far.threadId, far.pid);
    // The thread of the pool is there, and has its agent.
    await bus.dispatch(event('Crunch'));
    await look.until(() => look.numbers.length === 3);
    const request = await bus.dispatch(event('Request'));
    const done = await look.event('Request', (each) => each.done !== null);
    expect(done.id).toBe(request.event_id);
    const children = await look.until(() => {
      const found = [...look.events.values()].filter((each) => each.parent === done.id && each.done !== null);
      return found.length === 2 && found;
    });
    const crunch = children.find(({ type }) => type === 'Crunch');
    const found = children.find(({ type }) => type === 'FileFound');
    const inPool = await look.until(() =>
      look.events.get(crunch?.id ?? '')?.calls.find(({ thread }) => thread !== null),
    );
    expect(inPool.thread).toBeGreaterThan(0);
    expect(inPool.called).toBeLessThanOrEqual((inPool.started ?? 0) + 1);
    expect(found?.path).toEqual(['Main', far.name]);
    // Both have told their part.
    const index = await look.until(() =>
      look.events.get(found?.id ?? '')?.calls.find(({ handler, thread }) => handler === 'indexFile' && thread !== null),
    );
    expect(index).toMatchObject({ thread: far.threadId, pid: far.pid, status: 'completed' });
    const stored = await look.event('Stored', (each) => each.parent === found?.id && each.done !== null);
    expect(stored.calls[0]).toMatchObject({ thread: far.threadId, pid: far.pid });
    const reported = await look.event('Progress', (each) => each.parent === crunch?.id);
    expect(reported.calls).toMatchObject([{ handler: 'progress', thread: 0, pid: process.pid }]);
  },
);

test.each(['thread', 'process'] as const)(
  'agents - what runs in a %s that dies is shown as lost, beside what its caller tells',
  async (isolation) => {
    const page = await openInspector();
    const bus = quietBus({ name: 'Main' });
    const far = await farBus(bus, isolation);
    const look = await page.look();
    await look.agent(far.threadId, far.pid);
    const { threadId, pid } = far;
    const seen = gate();
    bus.on('Ready', () => seen.opened);
    const leaving = far.dispatch(event('Leave')).eventCompleted();
    const running = await look.event('Leave', ({ calls }) => calls[0]?.status === 'started');
    expect(running.calls).toMatchObject([{ handler: 'leave', thread: threadId, pid, ended: null }]);
    seen.open();
    await leaving;
    const over = await look.event(
      'Leave',
      ({ calls, done }) => calls.every(({ ended }) => ended !== null) && done !== null,
    );
    expect(over).toMatchObject({
      outcome: 'failed',
      calls: [
        { handler: 'leave', thread: threadId, pid, status: 'lost' },
        { handler: 'dispatch', thread: threadId, pid, status: 'error', error: { name: 'WorkerCrashedError' } },
      ],
    });
    await look.until(() =>
      look.threads.some(({ start, end }) => start.threadId === threadId && end?.reason === 'crashed'),
    );
    // Its replacement reports, too.
    await look.until(() =>
      look.numbers.some((each) => (far.threadId === 0 ? each.pid === far.pid : each.thread === far.threadId)),
    );
    await far.dispatch(event('FileFound')).eventCompleted();
    await look.event('Stored', (each) => each.calls[0]?.thread === far.threadId && each.calls[0]?.pid === far.pid);
  },
);

test.each(['thread', 'process'] as const)(
  'agents - what happened in a %s just before it was stopped is told',
  async (isolation) => {
    const page = await openInspector();
    const bus = quietBus({ name: 'Main' });
    const look = await page.look();
    for (let n = 0; n < 3; n += 1) {
      const far = await farBus(bus, isolation);
      const { threadId, pid } = far;
      await look.agent(threadId, pid);
      const found = event('FileFound');
      await far.dispatch(found).eventCompleted();
      await far.stop();
      await look.until(() => look.numbers.every((each) => each.thread !== threadId || each.pid !== pid));
      const stored = look.ofType('Stored').filter(({ parent }) => parent === found.event_id);
      expect(stored.map(({ outcome, calls }) => [outcome, calls[0]?.status])).toEqual([['succeeded', 'completed']]);
    }
  },
);

test.each(['thread', 'process'] as const)('agents - in a %s nothing is watched before and after', async (isolation) => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Main' });
  const far = await farBus(bus, isolation);
  const isWatching = async (): Promise<unknown> => {
    const asked = event('Eyes');
    await far.dispatch(asked).eventCompleted();
    return [...asked.event_results.values()][0]?.result;
  };
  expect(await isWatching()).toBe(false);
  for (let n = 0; n < 2; n += 1) {
    const look = await page.look();
    await look.agent(far.threadId, far.pid);
    expect(await isWatching()).toBe(true);
    look.end();
    while ((await isWatching()) === true) await page.ask('/top');
  }
});

test('agents - are gone with the last page, and come again with the next', async () => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Main' });
  const far = await farBus(bus);
  const first = await page.look();
  await first.agent(far.threadId);
  await far.dispatch(event('FileFound')).eventCompleted();
  await first.event('Stored');
  first.end();
  while (isLookedOn()) await page.ask('/top');
  // Nobody looks: this is not seen.
  await far.dispatch(event('FileFound')).eventCompleted();
  const second = await page.look();
  await second.agent(far.threadId);
  await far.dispatch(event('FileFound')).eventCompleted();
  await second.until(() => second.ofType('FileFound').length === 2);
  expect(second.ofType('FileFound').every(({ done }) => done !== null)).toBe(true);
});

test('agents - what is opened is told by the thread that has it, without what is to be hidden', async () => {
  const page = await openInspector();
  const bus = quietBus({ name: 'Main' });
  const far = await farBus(bus);
  bus.on('Login', function check() {
    return { token: 'abc', user: { name: 'ada', cookie: 'c=1' } };
  });
  const look = await page.look();
  await look.agent(far.threadId);
  const login = await bus.dispatch(event('Login', { password: 'open sesame', list: [{ apiKey: 'k' }, 2] }));
  await look.event('Login');
  const details = await page.ask(`/event?id=${login.event_id}`);
  expect(JSON.parse(details.text)).toEqual({
    payload: { password: '•••', list: [{ apiKey: '•••' }, 2] },
    results: [
      { id: expect.any(String) as string, value: { token: '•••', user: { name: 'ada', cookie: '•••' } }, error: null },
    ],
  });
  await far.dispatch(event('FileFound')).eventCompleted();
  const stored = await look.event('Stored');
  expect((await page.ask(`/event?id=${stored.id}`)).text).toContain('"payload":{"token":"•••"}');
  await far.dispatch(event('Fails')).eventCompleted();
  const failed = await look.event('Fails', ({ calls }) => (calls[0]?.error ?? null) !== null);
  expect(failed.calls[0]?.error).toMatchObject({ name: 'RangeError', message: 'no way, password=•••' });
  expect(failed.calls[0]?.error?.stack).toContain('far-bus.');
  expect(failed.calls[0]?.error?.stack).not.toMatch(/packages.(?:core|worker|inspector).dist/);
  expect(look.text).not.toMatch(/open sesame|password=open|hush/);
  expect((await page.ask('/event?id=unknown')).status).toBe(404);
});

test('agents - a function hides what threads have left; a module hides in each of them', async () => {
  const bus = quietBus({ name: 'Main' });
  const far = await farBus(bus);
  const paths: string[] = [];
  const page = await openInspector({
    redact(path, value) {
      paths.push(path);
      if (path.endsWith('.size')) throw new Error('no');
      return typeof value === 'string' && value.includes('way') ? 'hidden' : value;
    },
  });
  const look = await page.look();
  await look.agent(far.threadId);
  const found = await far.dispatch(event('FileFound')).eventCompleted();
  await look.event('FileFound', ({ calls }) => calls.length > 0);
  await look.event('Stored');
  const { text } = await page.ask(`/event?id=${found.event_id}`);
  expect(text).toContain('"size":"•••"');
  expect(paths).toContain('event.results.0.result.size');
  await far.dispatch(event('Fails')).eventCompleted();
  const failed = await look.event('Fails', ({ calls }) => (calls[0]?.error ?? null) !== null);
  expect(failed.calls[0]?.error?.message).toBe('hidden');
});
