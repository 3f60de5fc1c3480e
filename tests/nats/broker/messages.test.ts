import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { newNamespace, sharedServer } from '../helpers/nets.ts';
import { Broker } from '../../../packages/nats/dist/broker/broker.js';
import { NoAnswerError, NoRespondersError } from '../../../packages/nats/dist/broker/requests.js';

const bytes = (text: unknown): Uint8Array => Buffer.from(String(text));
const nothing = bytes('');
const step = (): Promise<void> => Promise.resolve();

async function brokerAt(options: ConnectionOptions): Promise<Broker> {
  const connection = await connect(options);
  onTestFinished(() => connection.close());
  return new Broker(connection, false);
}

describe.skipIf(!hasServer)('messages', () => {
  const server = sharedServer();

  /** Two ends, and what the second hears of the first. */
  async function ends() {
    const [near, far] = [await brokerAt({ servers: server().url }), await brokerAt({ servers: server().url })];
    const subject = newNamespace();
    const heard: string[] = [];
    far.subscribe(subject, ({ data }) => heard.push(Buffer.from(data).toString()));
    await far.flush();
    return { near, far, heard, say: (text: unknown) => near.publish(subject, bytes(text)) };
  }

  test('messages - keep their order, over all steps of a turn and over turns', async () => {
    const { near, far, heard, say } = await ends();
    const said: string[] = [];
    const next = (): void => {
      said.push(String(said.length));
      say(said.at(-1));
    };
    for (let turn = 0; turn < 20; turn += 1) {
      next();
      next();
      for (let steps = 0; steps < 5; steps += 1) {
        await step();
        next();
      }
      // Within a turn that lasts, too.
      if (turn % 5 === 0) for (const end = performance.now() + 5; performance.now() < end;) await step();
      next();
      if (turn % 3 === 0) await new Promise((resolve) => void setImmediate(resolve));
    }
    await near.flush();
    await far.flush();
    expect(heard).toEqual(said);
  });

  test.each(['flush', 'close'] as const)('messages - those that were gathered leave before a %s', async (how) => {
    const { near, far, heard, say } = await ends();
    say('first');
    await step();
    await step();
    say('second');
    await near[how]();
    // The connection is its owner's: from now on it takes no more.
    await near.connection.drain();
    await far.flush();
    expect(heard).toEqual(['first', 'second']);
  });

  test('messages - one that nobody waits for leaves with the next one, not at the end of its turn', async () => {
    const { near, far, heard, say } = await ends();
    const subject = newNamespace();
    const later: string[] = [];
    const alone = gate();
    far.subscribe(subject, ({ data }) => {
      later.push(Buffer.from(data).toString());
      if (later.length === 2) alone.open();
    });
    await far.flush();
    const sent = (): number => (near.connection as NatsConnection).stats().outMsgs;
    const before = sent();
    say('first');
    await step();
    await step();
    near.publishLater(subject, bytes('a'));
    await new Promise((resolve) => void setImmediate(resolve));
    expect(sent() - before).toBe(1);
    say('second');
    expect(sent() - before).toBe(3);
    near.publishLater(subject, bytes('b'));
    // Nothing else is said: it leaves by itself.
    await alone.opened;
    await far.flush();
    expect([later, heard]).toEqual([
      ['a', 'b'],
      ['first', 'second'],
    ]);
  });

  test('messages - one that can not leave takes no others with it, and who asks is told why', async () => {
    const { near, far, heard, say } = await ends();
    say('first');
    await step();
    await step();
    const refused = rejection(near.request(newNamespace(), Buffer.alloc(2 << 20), 60));
    near.publish(newNamespace(), Buffer.alloc(2 << 20));
    say('second');
    expect((await refused).message).toContain('max_payload');
    await near.flush();
    await far.flush();
    expect(heard).toEqual(['first', 'second']);
    say('third');
    await step();
    await step();
    // Its owner closes the connection before the turn is over.
    say('fourth');
    await near.connection.drain();
    await far.flush();
    expect(heard.slice(0, 3)).toEqual(['first', 'second', 'third']);
  });

  test('questions - many at once get their own answers, and those that nobody answers end', async () => {
    const { near, far } = await ends();
    const subject = newNamespace();
    far.subscribe(`${subject}.double`, ({ data, reply = '' }) =>
      far.publish(reply, bytes(2 * Number(Buffer.from(data).toString()))),
    );
    far.subscribe(`${subject}.silent`, () => undefined);
    await far.flush();
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const late = rejection(near.request(`${subject}.silent`, nothing, 0.2));
    const answers = await Promise.all(numbers.map((n) => near.request(`${subject}.double`, bytes(n), 5)));
    expect(answers.map(({ data }) => Number(Buffer.from(data).toString()))).toEqual(numbers.map((n) => 2 * n));
    expect(await late).toBeInstanceOf(NoAnswerError);
    expect(await rejection(near.request(`${subject}.nobody`, nothing, 5))).toBeInstanceOf(NoRespondersError);
    const open = rejection(near.request(`${subject}.silent`, nothing, 60));
    await near.connection.close();
    expect((await open).message).toContain('closed');
  });

  test('questions - that the server does not allow are refused at once, the others answered', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'threadbus-nats-config-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const config = join(folder, 'server.conf');
    // Answers come to a name of its own, too.
    const permissions = '{ publish: ["open", "_INBOX.>"], subscribe: ["ada.>", "open"] }';
    await writeFile(
      config,
      `authorization { users: [{ user: ada, password: pw, permissions: ${permissions} }, { user: all, password: pw }] }`,
    );
    const own = await NatsServer.start('-c', config);
    onTestFinished(() => own[Symbol.asyncDispose]());
    const ada = { servers: own.url, user: 'ada', pass: 'pw' };
    const [near, wrong] = [await brokerAt({ ...ada, inboxPrefix: 'ada' }), await brokerAt(ada)];
    const far = await brokerAt({ servers: own.url, user: 'all', pass: 'pw' });
    far.subscribe('*', ({ reply = '' }) => far.publish(reply, bytes('yes')));
    await far.flush();
    const from = performance.now();
    const refused = rejection(near.request('secret', nothing, 60));
    expect(Buffer.from((await near.request('open', nothing, 60)).data).toString()).toBe('yes');
    expect((await refused).message).toMatch(/permissions violation/i);
    expect((await rejection(wrong.request('open', nothing, 60))).message).toMatch(/permissions violation/i);
    expect(performance.now() - from).toBeLessThan(30_000);
  });
});
