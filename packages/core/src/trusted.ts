/** Wraps a payload that has been validated before, so that restoring an event doesn't do it again. */
export class TrustedPayload {
  readonly payload: object;
  constructor(payload: object) {
    this.payload = payload;
  }
}

/** An event's fields as another thread has checked them. */
export class TrustedFields {
  readonly type: string;
  readonly schema: string;
  readonly id: string;
  readonly parentId: string | null;
  readonly timeout: number | null;
  /** Epoch milliseconds. */
  readonly createdAt: number;

  constructor(
    type: string,
    schemaName: string,
    id: string,
    parentId: string | null,
    timeout: number | null,
    createdAt: number,
  ) {
    this.type = type;
    this.schema = schemaName;
    this.id = id;
    this.parentId = parentId;
    this.timeout = timeout;
    this.createdAt = createdAt;
  }
}
