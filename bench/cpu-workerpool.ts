// The thread of workerpool, which asks for functions by name.
import { worker } from 'workerpool';
import run from './cpu-work.ts';

worker({ run });
