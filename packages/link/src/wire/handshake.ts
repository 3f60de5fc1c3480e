import { type BusIdentity, type IdOrigin, origin, ownIds } from '@threadbus/core/internal';
import { LinkError } from './errors.ts';
import { isTime } from './frame-check.ts';
import { malformed } from './malformed.ts';
import { sharedClock } from './shared-clock.ts';
import { HELLO, oldestVersion, protocolVersion } from './protocol.ts';

/** From where a side counts. */
export interface Origins {
  /** How ids are made there. */
  readonly ids: IdOrigin;
  /** Epoch milliseconds from which it counts its times. */
  readonly clock: number;
  /** The clock that its machine shares. */
  readonly sharedClock: string;
}

/** The operation with which this side begins. */
export function hello({ name, id }: Readonly<BusIdentity>): readonly unknown[] {
  return [HELLO, protocolVersion, name, id, ownIds, origin, oldestVersion, sharedClock()];
}

/**
 * Who the other side is.
 *
 * @returns a LinkError if there is no version that both speak
 * @throws MalformedFrame if it says something else first
 */
export function readPeer(frame: readonly unknown[]): BusIdentity | LinkError {
  const [kind, newest, name, id] = frame;
  if (kind !== HELLO || !isVersion(newest)) return malformed('its introduction');
  // Before version 5 it said one version, and nothing behind the clock.
  const last = frame[6];
  const oldest = newest >= 5 && isVersion(last) && last <= newest ? last : newest;
  if (newest < oldestVersion || oldest > protocolVersion) {
    return new LinkError(
      `${typeof name === 'string' ? name : 'The other side'} speaks version ${newest} of the link protocol (${oldest}..${newest}), this side ${protocolVersion} (${oldestVersion}..${protocolVersion}). Use the same version of threadbus's packages on both sides.`,
    );
  }
  if (!isName(name) || !isName(id)) return malformed('its introduction');
  return { name, id };
}

/** @throws MalformedFrame */
export function readOrigins(frame: readonly unknown[]): Origins {
  const [, , , , ids, clock, oldest, shared] = frame;
  if (!isOrigin(ids) || !isTime(clock) || !isVersion(oldest) || !isName(shared)) return malformed('its introduction');
  return { ids, clock, sharedClock: shared };
}

function isVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isOrigin(value: unknown): value is IdOrigin {
  if (typeof value !== 'object' || value === null) return false;
  const { first, salt } = value as Partial<IdOrigin>;
  return Number.isSafeInteger(first) && Number.isSafeInteger(salt);
}
