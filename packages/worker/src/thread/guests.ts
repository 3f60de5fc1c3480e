import { defaultLogger, stackText, subscription } from '@threadbus/core/internal';
import type { Subscription } from '@threadbus/core';

/** A module to be loaded into threads beside what they are for. */
export interface Guest {
  /** Its default export is called with the data. */
  readonly url: string;
  /** Plain data. */
  readonly data: unknown;
}

/**
 * Guests of the threads and processes that this one has started: the inspector's agents.
 *
 * A guest is told to each thread once, when it is up or, if it is up already, at once. What is told is a message among
 * others: a thread that is blocked gets it when it is free, one that dies never. Nobody waits for an answer, and nothing
 * keeps the process for it. Threads of threads are the guest's own affair: it calls `loadInThreads` there.
 */
const guests = new Set<Guest>();
const threads = new Set<(guest: Guest) => void>();

/** A thread is up. @returns to be called when it has ended */
export function openToGuests(send: (guest: Guest) => void): () => void {
  threads.add(send);
  for (const guest of guests) send(guest);
  return () => threads.delete(send);
}

/** Has the threads and processes of this thread load a module, those that are to come until this is ended, too. */
export function loadInThreads(guest: Guest): Subscription {
  guests.add(guest);
  for (const send of [...threads]) send(guest);
  return subscription(() => guests.delete(guest));
}

/** In the thread: loads it. One that can't be loaded is logged. */
export async function takeGuest({ url, data }: Guest): Promise<void> {
  try {
    const { default: enter } = (await import(url)) as { readonly default: (data: unknown) => unknown };
    await enter(data);
  } catch (error) {
    const text = stackText(error);
    defaultLogger().error(`${url} could not be loaded into a thread: ${text}`);
  }
}
