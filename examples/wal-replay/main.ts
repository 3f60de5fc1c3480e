// A process is killed (kill -9) while it works; its log has what was completed, and is replayed.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventBus, readWal } from '@threadbus/core';
import { Accounts } from './account.js';

const folder = await mkdtemp(join(tmpdir(), 'wal-replay-'));
const walPath = join(folder, 'bank.jsonl');
try {
  const bank = fork(fileURLToPath(new URL('./bank.js', import.meta.url)), [walPath]);
  const [{ booked }] = (await once(bank, 'message')) as [{ booked: number }];
  bank.kill('SIGKILL');
  await once(bank, 'exit');
  console.log(`killed after ${booked} deposits that it had awaited, so they are in the log`);
  // What a full disk or a power cut does to the last line.
  await appendFile(walPath, '{"event_type":"Deposited","event_id":"0199');

  await using bus = new EventBus({ name: 'Replay' });
  const accounts = new Accounts(bus);
  for await (const event of readWal(walPath)) {
    if (event.event_outcome === 'succeeded') await bus.dispatch(event.eventReset());
  }
  const [alice = 0, bob = 0] = [accounts.balances.get('alice'), accounts.balances.get('bob')];
  console.log(`none of them is lost: ${accounts.deposits >= booked}`);
  console.log(`the balances are those of the log: ${alice + bob === accounts.deposits * 100}`);
  console.log(`the torn last line was left out: ${Math.abs(alice - bob) <= 100}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
