import { isolate } from '../../helpers/isolation.ts';

// The same test as for threads, and processes are killed by signals too.
isolate('process');
await import('../thread/spoilt.test.ts');
