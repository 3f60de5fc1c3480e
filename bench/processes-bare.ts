// A process that imports what a bus in a process imports, and says so.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';

process.send?.(typeof EventBus === typeof exposeBus);
// It stays until it is killed: what it keeps in memory is asked of others.
process.on('message', () => undefined);
