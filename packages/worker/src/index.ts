export * from './errors.ts';
export { registerErrorClass } from './error-codec.ts';
export { linkBuses } from './link-buses.ts';
