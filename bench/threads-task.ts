import { type Answer, answer, type Payload } from './threads-work.ts';

// Async, as the handlers of people are.
// oxlint-disable-next-line typescript/require-await
export default async function task(payload: Payload): Promise<Answer> {
  return answer(payload);
}
