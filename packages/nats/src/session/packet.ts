/**
 * The packets of a session; who sends which when is in session.ts.
 *
 * Each begins with 14 bytes: its kind, flags, a sequence number and an acknowledgement, of 6 bytes each with the
 * highest first. So many packets that a number never comes again: a million a second for nine years.
 */
export const headerSize = 14;

/** A piece of a frame: sequence is the packet's own. */
export const DATA = 1;
/** Shows that its sender is alive: sequence is that of the last DATA it has sent. */
export const BEAT = 2;
/** The sender leaves; what follows the header is why, as UTF-8. */
export const BYE = 3;

/** Of DATA: the frame ends here. */
export const LAST = 1;
/** Of BEAT: packets behind the acknowledged one are missing, send them again. */
export const GAP = 1;
/** Of BEAT: answer with one. */
export const ASK = 2;

export interface Header {
  readonly kind: number;
  readonly flags: number;
  readonly sequence: number;
  /** All DATA up to that one have come. */
  readonly ack: number;
}

/** @returns null for what is no packet */
export function readHeader(packet: Uint8Array): Header | null {
  if (packet.length < headerSize) return null;
  const bytes = Buffer.from(packet.buffer, packet.byteOffset, headerSize);
  const kind = bytes[0] as number;
  if (kind < DATA || kind > BYE) return null;
  return { kind, flags: bytes[1] as number, sequence: bytes.readUIntBE(2, 6), ack: bytes.readUIntBE(8, 6) };
}

export function makePacket(kind: number, flags: number, sequence: number, ack: number, body: Uint8Array): Buffer {
  const packet = Buffer.allocUnsafe(headerSize + body.length);
  packet[0] = kind;
  packet[1] = flags;
  packet.writeUIntBE(sequence, 2, 6);
  packet.writeUIntBE(ack, 8, 6);
  packet.set(body, headerSize);
  return packet;
}

/** Brings the acknowledgement of a packet that is sent again up to date. */
export function setAck(packet: Buffer, ack: number): void {
  packet.writeUIntBE(ack, 8, 6);
}
