// A process that books deposits and logs them, until it is killed.
import { EventBus } from '@threadbus/core';
import { Accounts, Deposited } from './account.js';

const [walPath = ''] = process.argv.slice(2);
const bus = new EventBus({ name: 'Bank', walPath });
const accounts = new Accounts(bus);

for (let i = 0; ; i += 1) {
  if (i === 500) {
    await bus.waitUntilIdle(); // everything so far is in the log when this resolves
    process.send?.({ flushed: accounts.deposits });
  }
  await bus.waitForCapacity();
  bus.dispatch(new Deposited({ account: i % 2 === 0 ? 'alice' : 'bob', cents: 100 }));
}
