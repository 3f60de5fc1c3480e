import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

/** What is logged in all loads of the log. */
export const Logged = BaseEvent.extend('Logged', { n: z.number(), user: z.string(), text: z.string() });

export const payload = (n: number): { n: number; user: string; text: string } => ({
  n,
  user: 'alice',
  text: 'x'.repeat(100),
});

const id = '01a22b53-b1ee-72e0-becc-834879060b9a';
const time = '2026-11-30T07:20:35.054Z';

/** The same as an object that others turn into a line: all that stands in ours. */
export function lineOf(n: number): object {
  return {
    event_type: 'Logged',
    event_schema: 'Logged@1.0.0',
    event_id: id,
    event_parent_id: null,
    event_path: ['EventBus'],
    event_timeout: 60,
    event_created_at: time,
    ...payload(n),
    event_status: 'completed',
    event_outcome: 'succeeded',
    event_started_at: time,
    event_completed_at: time,
    event_results: [
      {
        handler_id: `${id}.0001`,
        handler_name: 'anonymous',
        eventbus_id: id,
        eventbus_name: 'EventBus',
        status: 'completed',
        error: null,
      },
    ],
  };
}

/** The path of a file that isn't there yet, in a folder that is gone afterwards. */
export async function inFolder<Result>(work: (path: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'threadbus-bench-'));
  try {
    return await work(join(folder, 'events.jsonl'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const lines = (path: string): number => readFileSync(path, 'utf8').split('\n').length - 1;
