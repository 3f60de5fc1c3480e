import type { BusIdentity, Limit } from '@threadbus/core/internal';

/** How two processes agree on a session, as JSON. */
export interface JoinRequest {
  /** Made by the one that joins: part of the subjects. */
  readonly session: string;
  readonly bus: BusIdentity;
  readonly maxPacket: number;
  readonly maxEventBytes: number;
  readonly unresponsiveTimeout: Limit;
}

export interface JoinAnswer {
  readonly bus: BusIdentity;
  readonly maxPacket: number;
  readonly maxEventBytes: number;
}

/** Asked of all servers of a name: who they are, or by one that wants to become one. */
export type WhoQuestion = 'list' | { readonly claim: ServerMark } | { readonly settled: ServerMark };

/** A server, or one that wants to be. */
export interface ServerMark {
  /** Of this claim alone: a bus may be offered twice. */
  readonly id: string;
  /** The bus's id. */
  readonly bus: string;
  readonly replicas: boolean;
  /** Milliseconds for which it has had the name: clocks of two machines can't be compared. */
  readonly age: number;
}

export interface WhoAnswer {
  readonly server: ServerMark;
  /** The one that claims can't have the name. */
  readonly refused: boolean;
}

export function encodeMessage(message: JoinRequest | JoinAnswer | WhoQuestion | WhoAnswer): Buffer {
  return Buffer.from(JSON.stringify(message));
}

const session = /^[0-9a-f-]{36}$/;

/** @returns null for what is none */
export function readJoinRequest(data: Uint8Array): JoinRequest | null {
  const request = parse(data);
  const isOne =
    isIdentity(request['bus']) &&
    typeof request['session'] === 'string' &&
    session.test(request['session']) &&
    isSize(request['maxPacket']) &&
    isSize(request['maxEventBytes']) &&
    (request['unresponsiveTimeout'] === null || Number(request['unresponsiveTimeout']) > 0);
  return isOne ? (request as unknown as JoinRequest) : null;
}

/** @returns null for what is none */
export function readJoinAnswer(data: Uint8Array): JoinAnswer | null {
  const answer = parse(data);
  const isOne = isIdentity(answer['bus']) && isSize(answer['maxPacket']) && isSize(answer['maxEventBytes']);
  return isOne ? (answer as unknown as JoinAnswer) : null;
}

/** @returns null for what is none */
export function readQuestion(data: Uint8Array): WhoQuestion | null {
  const question = parse(data);
  if (question['list'] === true) return 'list';
  if (isMark(question['claim'])) return { claim: question['claim'] };
  return isMark(question['settled']) ? { settled: question['settled'] } : null;
}

/** @returns null for what is none */
export function readWhoAnswer(data: Uint8Array): WhoAnswer | null {
  const { server, refused } = parse(data);
  return isMark(server) && typeof refused === 'boolean' ? { server, refused } : null;
}

function parse(data: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(data).toString());
    if (value === 'list') return { list: true };
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isIdentity(value: unknown): value is BusIdentity {
  const { id, name } = (value ?? {}) as Partial<BusIdentity>;
  return isText(id) && isText(name);
}

function isMark(value: unknown): value is ServerMark {
  const { id, bus, replicas, age } = (value ?? {}) as Partial<ServerMark>;
  return isText(id) && isText(bus) && typeof replicas === 'boolean' && typeof age === 'number';
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= 256;
}

function isSize(value: unknown): boolean {
  return typeof value === 'number' && value >= 256;
}
