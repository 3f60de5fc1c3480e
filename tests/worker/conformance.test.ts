import { conformance } from '../conformance/bus.ts';

conformance('same thread');
conformance('one thread away');
conformance('two threads away');
