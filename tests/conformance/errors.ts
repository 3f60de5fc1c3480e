import { isThrownValueError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { Fail, PaymentError, PrivateError } from '../fixtures/worker/conformance-events.ts';
import { rejection } from '../helpers/gate.ts';
import type { Subject } from './subject.ts';

/** What handlers throw is what whoever asks for the result catches. */
export function errorTests(subject: () => Subject): void {
  const thrown = (how: string): Promise<Error> => rejection(subject().bus.dispatch(new Fail({ how })).eventResult());

  test('error - a failing handler fails its own result, the others run', async () => {
    const event = await subject().bus.dispatch(new Fail({ how: 'type' }));
    const byName = new Map([...event.event_results.values()].map((result) => [result.handler_name, result]));
    expect(byName.get('fail')?.status).toBe('error');
    expect(byName.get('other')?.result).toBe('other');
    expect(await event.eventResultsList({ raiseIfAny: false })).toEqual(['other']);
    expect(await rejection(event.eventResult())).toBe(byName.get('fail')?.error);
  });

  test('error - classes of the language keep class, message and stack', async () => {
    const error = await thrown('type');
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('wrong type');
    expect(error.stack).toContain('conformance-handlers');
    expect(Object.keys(error)).toEqual([]);
  });

  test('error - registered classes keep class, code, fields and a chain of causes', async () => {
    const error = (await thrown('payment')) as PaymentError;
    expect(error).toBeInstanceOf(PaymentError);
    expect(error).toMatchObject({ name: 'PaymentError', message: 'no money', code: 'ERR_PAYMENT', amount: 12 });
    expect(error.cause).toBeInstanceOf(RangeError);
    expect((error.cause as Error).cause).toBe('plain');
  });

  test('error - a class that is not known here is the nearest one that is, with its name and fields', async () => {
    const error = await thrown('private');
    expect(error).toBeInstanceOf(RangeError);
    expect(error instanceof PrivateError).toBe(!subject().crosses);
    expect(error).toMatchObject({ name: 'PrivateError', message: 'mine', extra: { deep: [1] }, when: new Date(5) });
  });

  test('error - an AggregateError keeps its errors', async () => {
    const error = (await thrown('aggregate')) as AggregateError;
    expect(error).toBeInstanceOf(AggregateError);
    expect(error.errors[0]).toBeInstanceOf(TypeError);
    expect(error.errors[1]).toBeInstanceOf(PaymentError);
    expect(error.errors[1]).toMatchObject({ message: 'two', amount: 2 });
  });

  test('error - a thrown value that is no Error is wrapped', async () => {
    const error = await thrown('string');
    expect(isThrownValueError(error)).toBe(true);
    expect(error.cause).toBe('just text');
  });

  test('error - a returned Error is a failure', async () => {
    expect(await thrown('returned')).toBeInstanceOf(SyntaxError);
  });

  test('error - system errors keep their code', async () => {
    expect(await thrown('code')).toMatchObject({ code: 'ENOENT', errno: -2, message: 'system' });
  });

  test('error - one with fields that cannot be cloned arrives, without them', async () => {
    const error = await thrown('unclonable');
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ kept: 'yes' });
    expect('callback' in error).toBe(!subject().crosses);
  });
}
