import { conformance } from './bus.ts';

conformance('same thread');
conformance('next thread');
conformance('thread after next');
conformance('process at the end of a pipe');
