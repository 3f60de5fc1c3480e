// What happens in this app: the events, with what they carry and what comes back.
import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

export class CountPrimes extends BaseEvent.extend(
  'CountPrimes',
  { below: z.number().int().min(0) },
  { result: z.number(), timeout: 2 }, // seconds; a thread that blocks longer is ended and replaced
) {}

export class Visited extends BaseEvent.extend('Visited', { path: z.string() }) {}

export class GetVisits extends BaseEvent.extend('GetVisits', {}, { result: z.record(z.string(), z.number()) }) {}
