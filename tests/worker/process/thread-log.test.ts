import { isolate } from '../../helpers/isolation.ts';

// The same tests as for threads.
isolate('process');
await import('../thread/thread-log.test.ts');
