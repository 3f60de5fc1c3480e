/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
export { busEngine } from './event-bus.ts';
