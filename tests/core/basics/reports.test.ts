import { BaseEvent, type LogFields } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Upload = BaseEvent.extend('Upload', {});
type Line = [level: string, ...unknown[]];

function recorder(extra: object = {}): { lines: Line[]; logger: never } {
  const lines: Line[] = [];
  const at =
    (level: string) =>
    (...args: unknown[]): unknown =>
      lines.push([level, ...args]);
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), ...extra };
  return { lines, logger: logger as never };
}

const failing = (): never => {
  throw new RangeError('too big');
};

test('reports - an error that somebody gets is logged at debug, one that nobody has got at error', async () => {
  const { lines, logger } = recorder();
  const bus = quietBus({ logger });
  bus.on(Upload, failing);
  const levels = (): string[] => lines.splice(0).map(([level]) => level);
  await bus
    .dispatch(new Upload({}))
    .eventResult()
    .catch(() => undefined);
  expect(levels()).toEqual(['debug']);
  await bus.dispatch(new Upload({})).eventErrors();
  expect(levels()).toEqual(['debug']);
  await bus
    .dispatch(new Upload({}))
    .eventResultsList({ timeout: 5 })
    .catch(() => undefined);
  expect(levels()).toEqual(['debug']);
  await bus.dispatch(new Upload({}));
  expect(levels()).toEqual(['error']);
  bus.dispatch(new Upload({}));
  await bus.waitUntilIdle();
  expect(levels()).toEqual(['error']);
  await bus.dispatch(new Upload({})).eventResult({ raiseIfAny: false, raiseIfNone: false });
  expect(levels()).toEqual(['error']);
});

test('reports - a parent that awaits its child’s result gets the child’s error, and answers for its own', async () => {
  const { lines, logger } = recorder();
  const bus = quietBus({ logger });
  bus.on(Upload, failing);
  bus.on('Parent', async () => bus.dispatch(new Upload({})).eventResult());
  await bus.dispatch(new BaseEvent({}, { event_type: 'Parent' }));
  expect(lines.map(([level, text]) => [level, /\((\w+)#/.exec(String(text))?.[1]])).toEqual([
    ['debug', 'Upload'],
    ['error', 'Parent'],
  ]);
});

test('reports - an EventResult that somebody awaits gives its error away', async () => {
  const { lines, logger } = recorder();
  const bus = quietBus({ logger });
  bus.on(Upload, async () => failing());
  const dispatch = bus.dispatch(new Upload({}));
  await new Promise((resolve) => {
    bus.observe({ handlerStarted: (_event, result) => void result.then(null, () => resolve(null)) });
  });
  await dispatch;
  expect(lines.map(([level]) => level)).toEqual(['debug']);
});

test('reports - any logger gets the message with the user’s frames alone, and fields', async () => {
  const { lines, logger } = recorder();
  const bus = quietBus({ logger, name: 'Reports' });
  bus.on(Upload, function upload() {
    failing();
  });
  const event = await bus.dispatch(new Upload({}));
  const [[, message, fields]] = lines as [[string, string, LogFields]];
  expect(message).toMatch(
    /^Reports\.upload\(Upload#\w{4}\) failed: RangeError: too big\n\s+at failing .*reports\.test/,
  );
  expect(message).not.toMatch(/packages[\\/]core|node:internal/);
  expect(fields).toEqual({
    event_id: event.event_id,
    event_type: 'Upload',
    bus: 'Reports',
    handler: 'upload',
    err: [...event.event_results.values()][0]?.error,
  });
});

test('reports - one like pino gets the fields first, and no stack in the message', async () => {
  const { lines, logger } = recorder({ child: () => undefined, bindings: () => ({}) });
  const bus = quietBus({ logger, name: 'Pino' });
  bus.on(Upload, failing);
  await bus.dispatch(new Upload({}));
  const [[, fields, message]] = lines as [[string, LogFields, string]];
  expect(message).toMatch(/^Pino\.failing\(Upload#\w{4}\) failed$/);
  expect(fields).toMatchObject({ event_type: 'Upload', handler: 'failing', err: { message: 'too big' } });
});

test('reports - the causes of an error are told with it, each with the user’s frames alone', async () => {
  const { lines, logger } = recorder();
  const bus = quietBus({ logger, name: 'Causes' });
  bus.on(Upload, () => {
    throw new Error('not saved', { cause: new TypeError('no disk', { cause: 'text' }) });
  });
  await bus.dispatch(new Upload({}));
  const [[, message]] = lines as [[string, string]];
  expect(message).toMatch(/Error: not saved\n\s+at .*\n\s+\[cause\]: TypeError: no disk\n\s+at /);
  expect(message).not.toMatch(/packages[\\/]core/);
  const circle = new Error('in a circle');
  circle.cause = circle;
  bus.off(Upload);
  bus.on(Upload, () => {
    throw circle;
  });
  await bus.dispatch(new Upload({}));
  expect(lines).toHaveLength(2);
});
