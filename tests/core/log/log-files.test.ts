import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BaseEvent, EventBus, isWalWriteError, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { collect } from '../../helpers/collect.ts';
import { rejection } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const posix = process.platform !== 'win32';
const linux = process.platform === 'linux';

async function numbers(path: string): Promise<number[]> {
  return (await collect(readWal(path))).map((event) => (event as unknown as { n: number }).n);
}

test.runIf(posix)(
  'log-files - only the owner may read a new one; an old one keeps its mode; a URL will do',
  async () => {
    const path = join(tempFolder(), 'deep', 'log.jsonl');
    {
      await using bus = new EventBus({ walPath: pathToFileURL(path) });
      await bus.dispatch(new Step({ n: 1 }));
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o640);
    await using bus = new EventBus({ walPath: path });
    await bus.dispatch(new Step({ n: 2 }));
    expect(statSync(path).mode & 0o777).toBe(0o640);
  },
);

/** Places where no log can be, each made by a function that gives its path. */
const badPlaces: [string, () => string][] = [
  ['a folder', (): string => tempFolder()],
  ['below a file', (): string => join(writeTo(join(tempFolder(), 'file')), 'log.jsonl')],
  ...(posix
    ? ([
        ['a pipe that nobody reads', (): string => pipe()],
        ['a socket or device without writing', (): string => join(tempFolder(), 'x'.repeat(300))],
      ] as [string, () => string][])
    : []),
  ...(linux
    ? ([
        ['a missing folder under /proc', (): string => '/proc/nowhere/deeper/log.jsonl'],
        ['a missing file under /proc', (): string => '/proc/log.jsonl'],
        ['a full device', (): string => '/dev/full'],
      ] as [string, () => string][])
    : []),
];

function writeTo(path: string): string {
  writeFileSync(path, '');
  return path;
}

function pipe(): string {
  const path = join(tempFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

test.each(badPlaces)(
  'log-files - %s: events go on, stop() is a WalWriteError, and dispatch refuses what is too much',
  async (_, place) => {
    const walPath = place();
    const logger = logRecorder();
    const bus = new EventBus({ walPath, maxPending: 5, logger });
    bus.on(Step, ({ n }) => n);
    for (let n = 0; n < 5; n += 1) expect(await bus.dispatch(new Step({ n })).eventResult()).toBe(n);
    expect(await bus.waitUntilIdle()).toBe(true);
    const refused = await rejection((async () => bus.dispatch(new Step({ n: 5 })))());
    expect(isWalWriteError(refused) && [refused.lines, refused.path]).toEqual([5, walPath]);
    expect(isWalWriteError(await rejection(bus.waitForCapacity()))).toBe(true);
    expect(logger.errors).toHaveLength(1);
    const error = await rejection(bus.stop());
    expect(isWalWriteError(error) && error.lines).toBe(5);
  },
);

test.each(badPlaces)(
  'log-files - %s with walSync: who waits gets the WalWriteError, stop() ends the events',
  async (_, place) => {
    const walPath = place();
    const bus = new EventBus({ walPath, walSync: true, maxPending: 5, logger: logRecorder() });
    bus.on(Step, ({ n }) => n);
    const dispatches = [1, 2].map((n) => bus.dispatch(new Step({ n })));
    for (const dispatch of dispatches) expect(isWalWriteError(await rejection(dispatch))).toBe(true);
    expect(dispatches[0]?.event.event_status).toBe('started');
    expect(isWalWriteError(await rejection(bus.waitUntilIdle()))).toBe(true);
    const error = await rejection(bus.stop());
    expect(isWalWriteError(error) && error.lines).toBe(2);
    expect((await (dispatches[1] as (typeof dispatches)[0])).event_status).toBe('completed');
  },
);

for (const walSync of [false, true]) {
  test(`log-files - what could not be written is, once it can, in order; walSync ${walSync}`, async () => {
    const path = join(tempFolder(), 'log.jsonl');
    mkdirSync(path);
    const logger = logRecorder();
    await using bus = new EventBus({ walPath: path, walSync, maxPending: 3, logger });
    const first = [1, 2, 3].map((n) => bus.dispatch(new Step({ n })).event);
    await Promise.allSettled(first.map((event) => event.eventCompleted()));
    expect(isWalWriteError(await rejection((async () => bus.dispatch(new Step({ n: 0 })))()))).toBe(true);
    rmSync(path, { recursive: true });
    // Nobody asks: it is tried again after a while.
    while (!existsSync(path) || readFileSync(path, 'utf8').split('\n').length < 4) {
      await new Promise<void>((resolve) => void setTimeout(resolve, 20));
    }
    await Promise.all(first.map((event) => event.eventCompleted()));
    await bus.dispatch(new Step({ n: 4 }));
    expect(await numbers(path)).toEqual([1, 2, 3, 4]);
    expect(logger.warnings.at(-1)).toContain('can be written to again');
  });

  test(`log-files - deleted, moved away, replaced by a link: no event is lost; walSync ${walSync}`, async () => {
    const folder = tempFolder();
    const path = join(folder, 'log.jsonl');
    await using bus = new EventBus({ walPath: path, walSync });
    await bus.dispatch(new Step({ n: 1 }));
    rmSync(path);
    await bus.dispatch(new Step({ n: 2 }));
    expect(await numbers(path)).toEqual([2]);
    renameSync(path, join(folder, 'moved'));
    let n = 3;
    for (; !existsSync(path); n += 1) await bus.dispatch(new Step({ n }));
    const all = [...(await numbers(join(folder, 'moved'))), ...(await numbers(path))];
    expect(all).toEqual(Array.from({ length: n - 2 }, (_, at) => at + 2));
    renameSync(path, join(folder, 'behind'));
    if (posix) symlinkSync('behind', path);
    await bus.dispatch(new Step({ n: 0 }));
    expect(await numbers(join(folder, 'behind'))).toContain(0);
  });
}

test.runIf(posix && process.getuid?.() !== 0)('log-files - a file that may not be written to is told', async () => {
  const path = writeTo(join(tempFolder(), 'log.jsonl'));
  chmodSync(path, 0o400);
  const bus = new EventBus({ walPath: path, logger: logRecorder() });
  await bus.dispatch(new Step({ n: 1 }));
  expect((await rejection(bus.stop())).message).toContain('EACCES');
});

test.runIf(existsSync('/dev/null'))('log-files - a device is written to as it is', async () => {
  for (const walSync of [false, true]) {
    await using bus = new EventBus({ walPath: '/dev/null', walSync });
    expect((await bus.dispatch(new Step({ n: 1 }))).event_status).toBe('completed');
  }
});

test.runIf(posix)('log-files - a bus with unwritten lines does not keep the process alive', async () => {
  const { code } = await runProgram('log-and-end', [tempFolder(), 'return']);
  expect(code).toBe(0);
});
