import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../../examples/dist/http-thumbnails/server.js';

/** A small PNG, so that the load is on the service and not on the decoder. */
const pixel = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
);

interface Answer {
  readonly status: number;
  readonly seconds: number;
}

test(
  'http-thumbnails - under load with runaways, crashes and hang-ups, every request gets the answer that it asks for',
  { timeout: 120_000 },
  async () => {
    const server = await serve(new Map(['blossom', 'endless', 'crash', 'slow'].map((name) => [name, pixel])));
    let stopped: Promise<void> | null = null;
    onTestFinished(() => stopped ?? server.stop());
    const get = async (name: string, signal: AbortSignal | null = null): Promise<Answer> => {
      const start = performance.now();
      const headers = { 'x-request-id': name, connection: 'close' };
      const { status } = await fetch(`${server.url}/${name}/8`, { headers, signal });
      return { status, seconds: (performance.now() - start) / 1000 };
    };
    const good: Answer[] = [];
    const faults: string[] = [];
    // Three clients keep the pool busy; the fourth does harm, one thing after the other.
    const client = async (): Promise<void> => {
      for (let i = 0; i < 15; i += 1) good.push(await get('blossom'));
    };
    const harm = async (): Promise<void> => {
      for (let i = 0; i < 3; i += 1) {
        faults.push(`endless ${(await get('endless')).status}`, `crash ${(await get('crash')).status}`);
        const hangUp = new AbortController();
        const given = get('slow', hangUp.signal).catch((error: Error) => ({ status: error.name }));
        setTimeout(() => hangUp.abort(), 20);
        faults.push(`slow ${(await given).status}`);
      }
    };
    await Promise.all([client(), client(), client(), harm()]);
    expect(good.map(({ status }) => status).filter((status) => status !== 200)).toEqual([]);
    expect(new Set(faults)).toEqual(new Set(['endless 504', 'crash 502', 'slow AbortError']));
    const last = get('slow');
    await expect.poll(() => server.stats().running, { interval: 5, timeout: 15_000 }).toBeGreaterThan(0);
    stopped = server.stop();
    expect((await last).status).toBe(200);
    await stopped;
    const times = good.map(({ seconds }) => seconds).sort((a, b) => a - b);
    const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
    console.log(
      `p99 ${times[Math.floor(times.length * 0.99)]?.toFixed(3)} s of ${times.length} requests, ${memory} MB`,
    );
  },
);
