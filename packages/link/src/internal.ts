/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
export type { Link } from './connection/link.ts';
export type { Arrival } from './incoming/arrival.ts';
export { LocalCall } from './incoming/local-call.ts';
export { addLinkedName, freeLinkedName, removeLinkedName } from './link-names.ts';
export { AnswerClock, type SilenceWatch } from './outgoing/answer-clock.ts';
export { shareCrossings } from './outgoing/crossings.ts';
export type { Sender } from './outgoing/outbox.ts';
export type { PartMeter, StartedBoard } from './outgoing/part-watchers.ts';
export { adoptChildren, sendCall } from './outgoing/remote-call.ts';
export { type HasRun, RemotePart, type Target } from './outgoing/remote-part.ts';
export { BusReference } from './remote/bus-reference.ts';
export { linkOver } from './remote/link-over.ts';
export { RemoteBus } from './remote/remote-bus.ts';
export { cloneFailure, FrameUnread, TransportEnded } from './transport/transport.ts';
export { portTransport } from './transport/port-transport.ts';
export { SocketChunks } from './transport/socket-chunks.ts';
export { chunksTransport, socketTransport } from './transport/stream-transport.ts';
export { registerErrorClass } from './wire/error-classes.ts';
export { decodeThrown, encodeThrown } from './wire/error-codec.ts';
export { checkFlow, defaultFlow, type FlowLimits } from './wire/flow-limits.ts';
export { type EventMark, registerEventMark } from './wire/event-marks.ts';
export { captureContext, outsideContexts } from './wire/portable.ts';
export type { WireCall, WireError, WireValue } from './wire/protocol.ts';
export { showNameAs } from './wire/shown-names.ts';
