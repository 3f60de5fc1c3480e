import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { randomNumbers } from '../../fixtures/random-numbers.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';
import { Proxy } from '../helpers/proxy.ts';
import { fallenTokens, type Stay, unknownOverlaps } from './stays.ts';

/** `npm run torture:limits` sets them. */
const seconds = Number(process.env['THREADBUS_SECONDS'] ?? 6);
const seed = Number(process.env['THREADBUS_SEED'] ?? 1);
const [processes, limit, lease] = [6, 2, 1];

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));
const now = (): number => Number(process.hrtime.bigint() / 1000n);

interface Holder {
  readonly peer: Peer;
  readonly proxy: Proxy;
  killed: number | null;
  busy: boolean;
}

describe.skipIf(!hasServer)('semaphore torture', () => {
  const server = sharedServer();

  test('semaphore - six processes that are killed, stopped and cut off: no overlap that its holder does not know of, tokens rise', async () => {
    const next = randomNumbers(seed);
    const namespace = newNamespace();
    const all: Holder[] = [];
    const start = async (): Promise<Holder> => {
      const proxy = await Proxy.to(server().port);
      const plan = { servers: proxy.url, namespace, limit, lease, hold: 60 };
      const holder = { peer: await Peer.start(plan, 'nats/limit-holder'), proxy, killed: null, busy: false };
      all.push(holder);
      return holder;
    };
    const counts = { kills: 0, stops: 0, cuts: 0 };
    /** One that isn't in trouble, which gets into it, for about the lease, shorter or longer. */
    const trouble = async (holder: Holder): Promise<void> => {
      holder.busy = true;
      const what = next();
      const ms = 300 + next() * 2 * lease * 1000;
      if (what < 0.25) {
        counts.kills += 1;
        const gone = holder.peer.kill();
        // From here on it does nothing any more, however long it takes until that is heard.
        holder.killed = now();
        await gone;
        await start();
        return;
      }
      const isStop = what < 0.6;
      counts[isStop ? 'stops' : 'cuts'] += 1;
      if (isStop) holder.peer.signal('SIGSTOP');
      else holder.proxy.cut();
      await pause(ms);
      if (isStop) {
        // Killed before it has had a turn, it could not say what it knew.
        const spoken = once(holder.peer.child, 'message');
        holder.peer.signal('SIGCONT');
        await spoken;
      } else holder.proxy.mend();
      holder.busy = false;
    };
    await Promise.all(Array.from({ length: processes }, start));
    const troubles: Promise<void>[] = [];
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      await pause(100 + next() * 400);
      const idle = all.filter(({ busy }) => !busy);
      const victim = idle[Math.floor(next() * idle.length)];
      if (victim !== undefined) troubles.push(trouble(victim));
    }
    await Promise.all(troubles);
    await pause(lease * 1500);
    for (const { peer } of all.filter(({ killed }) => killed === null)) await peer.kill();
    const stays = all.flatMap(({ peer, killed }, holder) => staysOf(peer, holder, killed ?? now()));
    console.log(
      `seed ${seed}: ${stays.length} stays, ${JSON.stringify(counts)}, ${stays.filter(({ knew }) => knew).length} lost and known`,
    );
    expect(stays.length).toBeGreaterThan(seconds * 3);
    expect(unknownOverlaps(stays, limit)).toEqual([]);
    expect(fallenTokens(stays)).toEqual([]);
    expect(new Set(stays.map(({ token }) => token)).size).toBe(stays.length);
  }, 0);

  test('semaphore - these checks find what they are for', () => {
    const stay = (token: number, from: number, to: number, knew = false): Stay => ({
      token,
      holder: token,
      asked: from - 1,
      from,
      to,
      knew,
    });
    const fine = [stay(1, 10, 20), stay(2, 12, 30), stay(3, 22, 40), stay(4, 31, 50)];
    expect([unknownOverlaps(fine, 2), fallenTokens(fine)]).toEqual([[], []]);
    // The first was paused and stayed longer: if it knows it, that's allowed.
    expect(unknownOverlaps([...fine.slice(1), stay(1, 10, 28, true)], 2)).toEqual([]);
    expect(unknownOverlaps([...fine.slice(1), stay(1, 10, 28)], 2)).not.toEqual([]);
    expect(fallenTokens([...fine, stay(2, 60, 70)])).not.toEqual([]);
    // At the same time either order is right.
    expect(fallenTokens([stay(6, 10, 20), { ...stay(5, 11, 20), asked: 9 }])).toEqual([]);
  });
});

/** What a process has told, and the stay in which it was killed. */
function staysOf({ messages }: Peer, holder: number, ended: number): Stay[] {
  interface Told {
    readonly lease?: number;
    readonly held?: number;
    readonly asked: number;
    readonly from: number;
    readonly to: number;
    readonly knew: boolean;
  }
  const told = messages as unknown as Told[];
  const over = told.filter(({ lease: token }) => token !== undefined);
  const open = told.filter(({ held }) => held !== undefined && !over.some(({ lease: token }) => token === held));
  return [
    ...over.map(({ lease: token = 0, asked, from, to, knew }) => ({ token, holder, asked, from, to, knew })),
    ...open.map(({ held: token = 0, asked, from }) => ({ token, holder, asked, from, to: ended, knew: false })),
  ];
}
