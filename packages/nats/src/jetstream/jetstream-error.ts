/** Numbers of the store's errors that are told apart. */
export const wrongSequence = 10071;
export const streamInUse = 10058;
/** The subjects are another stream's; or of that very stream, which somebody makes at this moment. */
export const subjectsOverlap = 10065;
export const noMessage = 10057;
/** In a cluster that has not as many servers with a store, or room in them. */
export const noPeers = 10005;

/** What the store has refused. */
export class JetStreamError extends Error {
  /** As of HTTP: 404 for what there is none of. */
  readonly status: number;
  /** The store's own number for the case. */
  readonly number: number;

  constructor({
    code = 0,
    err_code = 0,
    description = 'refused',
  }: {
    code?: number;
    err_code?: number;
    description?: string;
  }) {
    super(description);
    this.status = code;
    this.number = err_code;
  }
}

/** A stream of that name is there, and keeps other subjects: those of somebody else. */
export class StreamTakenError extends Error {
  readonly stream: string;

  constructor(stream: string, subjects: readonly string[]) {
    super(`The stream ${stream} is there already, and keeps ${subjects.join(', ')}`);
    this.stream = stream;
  }
}
