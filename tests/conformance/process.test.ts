import { conformance } from './bus.ts';

conformance('next process');
conformance('process after next');
