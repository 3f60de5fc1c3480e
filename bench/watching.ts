import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOffSampler, BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { BaseEvent, EventBus, instrument } from '@threadbus/core';
import { isLookedOn } from '@threadbus/core/internal';
import { inspect } from '@threadbus/inspector';
import { traceThreadbus } from '@threadbus/opentelemetry';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant, kept } from './scenario.ts';

const Numbered = BaseEvent.extend('Numbered', { n: z.number() });

/** Runs in the process of a page: reads all, as a browser does. */
const reader = `
  require('node:http').get(process.argv[1], (response) => response.resume().on('close', () => process.exit()));
  process.on('disconnect', () => process.exit());
`;

/** The same work, watched in one way or the other from before it begins. */
function watched(watch: () => unknown): Contestant {
  return kept(
    async () => {
      await watch();
      const bus = new EventBus({ maxPending: null });
      const handled = { count: 0 };
      bus.on(Numbered, () => void (handled.count += 1));
      return { bus, handled };
    },
    async ({ bus, handled }, events, measure) => {
      handled.count = 0;
      await measure(async () => {
        for (let n = 0; n < events; n += 1000) {
          for (let i = 0; i < 1000; i += 1) bus.dispatch(new Numbered({ n: n + i }));
          await bus.waitUntilIdle();
          // As programs do: what else there is has its turn.
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      check(handled.count, events);
    },
  );
}

function traced(isSampled: boolean): void {
  const nowhere: SpanProcessor = {
    onStart: () => undefined,
    onEnd: () => undefined,
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const sampler = isSampled ? {} : { sampler: new AlwaysOffSampler() };
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [nowhere], ...sampler }));
  traceThreadbus();
}

async function looked(): Promise<ChildProcess> {
  const { url } = await inspect();
  const events = url.replace('/?', '/events?');
  const child = spawn(process.execPath, ['-e', reader, events], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.unref();
  child.channel?.unref();
  await once(child, 'spawn');
  while (!isLookedOn()) await new Promise((resolve) => setTimeout(resolve, 20));
  return child;
}

const nothing = (): void => undefined;

/** What it costs to look at events: an event with one handler that does nothing, in bursts of a thousand. */
export const watching = contest('watching', [
  {
    name: 'nobody watches, beside',
    unit: 'µs per event',
    ratio: '× as fast',
    size: 200_000,
    quick: 5000,
    rounds: 7,
    contestants: {
      'nobody watches': watched(nothing),
      'instrument, empty': watched(() =>
        instrument({
          dispatch: (_event, _bus, go) => go(),
          handler: (_event, _result, go) => go(),
          handlerEnded: nothing,
          completed: nothing,
        }),
      ),
      'inspector, nobody looks': watched(() => inspect()),
      'inspector, a page open': watched(looked),
      'OpenTelemetry without an SDK': watched(() => traceThreadbus()),
      'OpenTelemetry, sampled off': watched(() => traced(false)),
      'OpenTelemetry, all sampled': watched(() => traced(true)),
    },
  },
]);
