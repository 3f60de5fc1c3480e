// A thread with a bus.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';

exposeBus(new EventBus({ name: 'Started' }));
