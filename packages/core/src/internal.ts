/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
export * from './seam/basics.ts';
export * from './seam/bus.ts';
export * from './seam/event-codec.ts';
export * from './seam/part.ts';
export * from './seam/public.ts';
export * from './seam/run.ts';
