import type { BusIdentity } from '@threadbus/core/internal';
import { LinkError } from './wire/errors.ts';

/** Buses in other threads that this thread is linked to. */
const linked = new Set<Readonly<BusIdentity>>();

/**
 * Takes a bus into the names of this thread's links, where each name stands for one bus: paths and trees show names.
 *
 * @throws LinkError if the name is taken
 */
export function addLinkedName(peer: Readonly<BusIdentity>, own: Readonly<BusIdentity> | null): void {
  const other = own?.name === peer.name ? own : [...linked].find(({ name }) => name === peer.name);
  if (other !== undefined && other.id !== peer.id) {
    throw new LinkError(
      `Two linked buses are called "${peer.name}". Names must be unique over all linked threads: give one of them another name, new EventBus({ name: '${peer.name}2' }).`,
      { busName: peer.name },
    );
  }
  linked.add(peer);
}

/** The name for a bus that others may be called like: with a number behind it where one is. */
export function freeLinkedName({ id, name }: Readonly<BusIdentity>, own: Readonly<BusIdentity> | null): string {
  const isTaken = (wanted: string): boolean =>
    [...linked, ...(own === null ? [] : [own])].some((other) => other.name === wanted && other.id !== id);
  let free = name;
  for (let number = 2; isTaken(free); number += 1) free = `${name}${number}`;
  return free;
}

export function removeLinkedName(peer: Readonly<BusIdentity>): void {
  linked.delete(peer);
}
