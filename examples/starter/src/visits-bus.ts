// The entry file of a thread: its bus, and nothing else.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { registerVisits } from './visits.js';

const bus = new EventBus({ name: 'Visits' });
registerVisits(bus);
exposeBus(bus);
