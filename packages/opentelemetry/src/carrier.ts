import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { registerPortableContext } from '@threadbus/link';

/** Fields that the propagators write: traceparent, tracestate, baggage. */
type Carrier = Record<string, string>;

/** Lets the active trace and baggage travel with events to other threads, processes and machines. @returns ends it */
export function carryTraces(): () => void {
  return registerPortableContext<Carrier>({
    name: 'threadbus.trace',
    capture() {
      if (trace.getSpanContext(context.active()) === undefined && propagation.getActiveBaggage() === undefined) {
        return undefined;
      }
      const carrier: Carrier = {};
      propagation.inject(context.active(), carrier);
      return Object.keys(carrier).length === 0 ? undefined : carrier;
    },
    run: (carrier, inside) => context.with(propagation.extract(ROOT_CONTEXT, carrier), inside),
  });
}
