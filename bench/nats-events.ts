import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

export const Square = BaseEvent.extend('Square', { n: z.number(), text: z.string() }, { result: z.number() });
