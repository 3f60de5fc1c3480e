import { randomUUID } from 'node:crypto';
import { EventBus } from '@threadbus/core';
import { busEngine, describe, startTimer } from '@threadbus/core/internal';
import { LinkError } from '@threadbus/link';
import { failureOf } from '../basics/bus-failure.ts';
import { BusNotFoundError } from '../basics/errors.ts';
import { checkName } from '../basics/names.ts';
import { NoAnswerError, NoRespondersError } from '../broker/requests.ts';
import { encodeMessage, type JoinAnswer, readJoinAnswer } from './handshake.ts';
import { type JoinOptions, resolveJoinOptions } from './join-options.ts';
import { LinkEnd } from './link-end.ts';
import { NatsDatagrams } from './nats-datagrams.ts';
import type { OfferHost } from './offer.ts';

/** Seconds: as long as nobody set a limit, one that never answers is still an error some day. */
const longest = 2_000_000;

/** Makes a link to a served bus. @throws TypeError, BusNotFoundError, LinkError */
export async function joinBus(host: OfferHost, bus: EventBus, name: string, options: JoinOptions): Promise<LinkEnd> {
  if (!(bus instanceof EventBus)) {
    throw new TypeError(
      `Expected join to get the EventBus at this end of the link, as in net.join(main, 'Index'); got ${describe(bus)}.`,
    );
  }
  checkName('the name of the bus to join', name);
  const failure = failureOf(bus);
  if (failure !== null) throw failure;
  const { limits, startTimeout, replica } = resolveJoinOptions(options);
  const { broker, subjects } = host;
  const session = randomUUID();
  const until = performance.now() + (startTimeout ?? longest) * 1000;
  const datagrams = new NatsDatagrams(broker, { send: subjects.up(session), receive: subjects.down(session) });
  try {
    const { identity } = busEngine(bus);
    const { unresponsiveTimeout, maxEventBytes } = limits;
    const request = { session, bus: { ...identity }, maxPacket: datagrams.maxSize, maxEventBytes, unresponsiveTimeout };
    const subject = replica === null ? subjects.join(name) : subjects.joinReplica(name, replica);
    const { data } = await broker.request(subject, encodeMessage(request), startTimeout ?? longest);
    const answer = readJoinAnswer(data);
    if (answer === null) throw new LinkError(`What serves ${name} doesn't speak this version's language.`);
    if (answer.bus.id === identity.id) throw new LinkError(`${name} can't join itself.`, { busName: name });
    return await connect(answer);
  } catch (error) {
    datagrams.close();
    throw joinError(error, name, replica, startTimeout);
  }

  async function connect(answer: JoinAnswer): Promise<LinkEnd> {
    datagrams.agree(answer.maxPacket);
    const maxEventBytes = Math.min(limits.maxEventBytes, answer.maxEventBytes);
    const link = new LinkEnd({ broker, bus, peer: answer.bus, datagrams, limits: { ...limits, maxEventBytes } });
    host.addLink(link);
    link.open();
    const left = Math.max(0, until - performance.now()) / 1000;
    const timer = startTimer(left, () => void link.close('no answer came in time'), true);
    try {
      await link.ready;
    } finally {
      timer.cancel();
    }
    return link;
  }
}

function joinError(error: unknown, name: string, replica: string | null, startTimeout: number | null): Error {
  const which = replica === null ? name : `the replica ${replica} of ${name}`;
  if (error instanceof NoRespondersError) {
    return new BusNotFoundError(
      `Nobody serves ${which} in this namespace. Start its server first: await net.serve(bus), with a bus of that name.`,
      { busName: name },
    );
  }
  const isSilence = error instanceof NoAnswerError;
  if (!isSilence && error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_')) return error;
  return new LinkError(`${which} did not answer within ${startTimeout} s.`, { busName: name }, { cause: error });
}
