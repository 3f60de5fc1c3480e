/** What the measured threads do with an event, the same for all peers. */
export interface Payload {
  readonly n: number;
  readonly user: string;
  readonly text: string;
}

/** About 300 bytes as JSON, as events are. */
export function smallPayload(n: number): Payload {
  return { n, user: `user-${n % 1000}`, text: 'x'.repeat(200) };
}

/** As many bytes of text. */
export function bigPayload(n: number, bytes: number): Payload {
  return { n, user: `user-${n % 1000}`, text: 'y'.repeat(bytes) };
}

export interface Answer {
  readonly ok: true;
  readonly n: number;
  readonly user: string;
}

export function answer({ n, user }: Payload): Answer {
  return { ok: true, n, user };
}

export interface BytesAnswer {
  readonly first: number | undefined;
  readonly length: number;
}

export function answerBytes(bytes: Uint8Array): BytesAnswer {
  return { first: bytes[0], length: bytes.length };
}

/** Some milliseconds of arithmetic; the same number every time. */
export function compute(): number {
  let sum = 0;
  for (let i = 0; i < 4_000_000; i += 1) sum = (sum * 31 + i) | 0;
  return sum;
}
