import type { BrokerMessage } from '../broker/connection.ts';
import { JetStreamError } from './jetstream-error.ts';

/** A message of a stream, as it is read again. */
export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Buffer;
  /** ISO 8601, by the server's clock. */
  readonly time: string;
  /** A header's value; empty if there is none. */
  header(name: string): string;
}

/**
 * From the stream itself, which answers with the message and adds headers of its own.
 *
 * @returns null if it has none
 * @throws JetStreamError
 */
export function readDirect({ data, headers }: BrokerMessage): StoredMessage | null {
  const { code = 0, description = '' } = headers ?? {};
  if (code === 404) return null;
  if (code !== 0) throw new JetStreamError({ code, description });
  const header = (name: string): string => headers?.get(name) ?? '';
  return {
    subject: header('Nats-Subject'),
    sequence: Number(header('Nats-Sequence')),
    data: Buffer.from(data),
    time: header('Nats-Time-Stamp'),
    header,
  };
}

/** The server's answer, which has the message within. */
export interface ApiMessage {
  readonly message: { subject: string; seq: number; data?: string; hdrs?: string; time: string };
}

export function readApi({ message }: ApiMessage): StoredMessage {
  const { subject, seq, data = '', hdrs = '', time } = message;
  const headers = readHeaders(Buffer.from(hdrs, 'base64').toString());
  const header = (name: string): string => headers.get(name) ?? '';
  return { subject, sequence: seq, data: Buffer.from(data, 'base64'), time, header };
}

/** `NATS/1.0\r\nName: value\r\n…` */
function readHeaders(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').slice(1);
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
    }),
  );
}
