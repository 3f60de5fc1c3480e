// Runs in a pool thread.
import { trace } from '@opentelemetry/api';
import type { PriceAsked } from './events.js';

export default function price({ item }: InstanceType<typeof PriceAsked>): number {
  return trace.getTracer('prices').startActiveSpan('count', (span) => {
    if (item === 'endless') for (;;);
    const cents = 25 * item.length;
    span.end();
    return cents;
  });
}
