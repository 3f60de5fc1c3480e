import { answer, type Payload } from './threads-work.ts';

async function reply({ id, payload }: { readonly id: number; readonly payload: Payload }): Promise<void> {
  // Async, as handlers are.
  const value = await Promise.resolve(answer(payload));
  process.send?.({ id, value });
}

process.on('message', (question: Parameters<typeof reply>[0]) => void reply(question));
process.on('disconnect', () => process.exit());
