/**
 * Two buses joined over any transport.
 *
 * @module @threadbus/link
 */
export { linkBuses } from './link-buses.ts';
export type { LinkedBus, Linking, LinkOptions } from './link-buses.ts';
export type { BusReference } from './remote/bus-reference.ts';
export { portTransport } from './transport/port-transport.ts';
export { streamTransport } from './transport/stream-transport.ts';
export type { Transport } from './transport/transport.ts';
export { registerErrorClass } from './wire/error-classes.ts';
export * from './wire/errors.ts';
export { registerPortableContext } from './wire/portable.ts';
export type { PortableContext } from './wire/portable.ts';
export { transfer } from './wire/moving.ts';
