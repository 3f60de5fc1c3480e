import type { ResultSource } from '@threadbus/core/internal';
import { unclonableResult } from './clone-failure.ts';
import { findUnclonable } from './clone-path.ts';
import { without } from './event-codec.ts';
import { FAILED, type WireEvent, type WireOutcome, type WirePart, type WireResult } from './protocol.ts';

/**
 * The outcome with an error in place of each value that can't cross, and without such fields of descendants: an event
 * that its own handlers are done with doesn't fail for what can't be shown of others.
 */
export function withoutUnclonable(outcome: WireOutcome, sourceAt: (number: number) => ResultSource): WireOutcome {
  const [refused, own, descendants] = outcome;
  const repairPart = ([path, startedAt, completedAt, results]: WirePart): WirePart => [
    path,
    startedAt,
    completedAt,
    results.map((result) => repairResult(result, sourceAt)),
  ];
  return [refused, repairPart(own), descendants.map(([event, part]) => [repairEvent(event), repairPart(part)])];
}

function repairResult(result: WireResult, sourceAt: (number: number) => ResultSource): WireResult {
  const [number, id, timeout, , value, startedAt, completedAt, children] = result;
  const found = findUnclonable(value);
  if (found === null) return result;
  const error = unclonableResult(found, sourceAt(number));
  return [number, id, timeout, FAILED, error, startedAt, completedAt, children];
}

function repairEvent(wire: WireEvent): WireEvent {
  const [type, schema, id, parentId, path, timeout, createdAt, payload] = wire;
  const safe = without(payload, (value) => findUnclonable(value) !== null);
  return [type, schema, id, parentId, path, timeout, createdAt, safe];
}
