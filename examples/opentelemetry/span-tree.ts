/** A span as the exporter writes it, one in a line. */
export interface FinishedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly kind: string;
  readonly isError: boolean;
  /** `error.type`; empty without one. */
  readonly error: string;
  readonly isMain: boolean;
  readonly startedAt: number;
}

/** Lines, those of children under their parent's; in order of time. */
export function spanTree(spans: readonly FinishedSpan[]): string[] {
  const inOrder = [...spans].sort((a, b) => a.startedAt - b.startedAt);
  const below = (parentId: string | null, depth: number): string[] =>
    inOrder
      .filter((span) => span.parentId === parentId)
      .flatMap((span) => [`${'  '.repeat(depth)}${lineOf(span)}`, ...below(span.spanId, depth + 1)]);
  return below(null, 0);
}

function lineOf({ name, kind, isMain, isError, error }: FinishedSpan): string {
  return `${name} · ${kind.toLowerCase()}${isMain ? '' : ', in a thread'}${isError ? ', failed' : ''}${error === '' ? '' : ` ${error}`}`;
}
