import { afterAll, describe } from 'vitest';
import { hasServer } from '../nats/helpers/nats-server.ts';
import { conformance } from './bus.ts';
import { stopSharedServer } from './nats-subject.ts';

describe.skipIf(!hasServer)('over NATS', () => {
  afterAll(stopSharedServer);
  conformance('next process over NATS');
  conformance('over NATS, process after next');
});
