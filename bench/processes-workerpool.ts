import workerpool from 'workerpool';
import { type Answer, answer, type Payload } from './threads-work.ts';

workerpool.worker({ answer: async (payload: Payload): Promise<Answer> => Promise.resolve(answer(payload)) });
