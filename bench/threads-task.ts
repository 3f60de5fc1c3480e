import { type Answer, answer, type Payload } from './threads-work.ts';

export default function task(payload: Payload): Answer {
  return answer(payload);
}
