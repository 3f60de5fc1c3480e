// A process that books deposits and logs them, until it is killed.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventBus } from '@threadbus/core';
import { Accounts, Deposited } from './account.js';

const [walPath = ''] = process.argv.slice(2);
const bus = new EventBus({ name: 'Bank', walPath });
const accounts = new Accounts(bus);

for (let i = 0; ; i += 1) {
  await bus.dispatch(new Deposited({ account: i % 2 === 0 ? 'alice' : 'bob', cents: 100 })); // now it is in the log
  if (i === 499) process.send?.({ booked: accounts.deposits });
  if (i % 50 === 0) await nextTurn();
}
