import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { linkPair } from '../link-pair.ts';

test('remote bus - an event that its first result completes is such a one over there, though its class is not known there', async () => {
  const { there, down } = await linkPair();
  const Quote = BaseEvent.extend('Quote', { n: z.number() }, { completion: 'first' });
  const asked: string[] = [];
  there.on('Quote', () => {
    asked.push('first');
    return 1;
  });
  there.on('Quote', () => {
    asked.push('second');
    return 2;
  });
  const event = await down.dispatch(new Quote({ n: 1 }));
  expect(asked).toEqual(['first']);
  expect(await event.eventResultsList()).toEqual([1]);
  // One of the same type that says nothing of it is completed by all.
  expect(await down.dispatch(new BaseEvent({ n: 2 }, { event_type: 'Quote' })).eventResultsList()).toEqual([1, 2]);
  expect(await down.dispatch(new Quote({ n: 3 })).eventResultsList()).toEqual([1]);
});
