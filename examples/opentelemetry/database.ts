// In place of a database: the spans that the instrumentation of `pg` makes for its queries.
import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('database');

export async function query(text: string): Promise<void> {
  const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text };
  await tracer.startActiveSpan(
    `pg.query:${text.split(' ')[0]}`,
    { kind: SpanKind.CLIENT, attributes },
    async (span) => {
      await sleep(2);
      span.end();
    },
  );
}
