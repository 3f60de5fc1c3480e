/** A call on the stack of a thread that was stopped: as its author wrote it, if there is a source map. */
export interface StuckFrame {
  /** `<anonymous>` for a function without a name. */
  readonly functionName: string;
  /** URL of the file. */
  readonly url: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}
