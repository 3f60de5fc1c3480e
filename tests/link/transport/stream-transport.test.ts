import { BaseEvent, isUnserializableError } from '@threadbus/core';
import { linkBuses, portTransport, streamTransport, type Transport } from '@threadbus/link';
import { SocketChunks, socketTransport } from '@threadbus/link/internal';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { nextTurn, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { endOf, transportTests } from './contract.ts';

transportTests('pipes', async () => {
  const [down, up] = [new PassThrough(), new PassThrough()];
  return [streamTransport(up, down), streamTransport(down, up)];
});

transportTests('socket', async () => {
  const [client, server] = await sockets();
  return [streamTransport(client, client), streamTransport(server, server)];
});

transportTests('socket that is taken over', async () => {
  const [client, server] = await sockets();
  return [socketTransport(client), socketTransport(server)];
});

test('stream - a socket that is taken over is read into the same memory again', async () => {
  const [client, server] = await sockets();
  expect(SocketChunks.over(client)).toBeInstanceOf(SocketChunks);
  // Of no use any more, it harms nobody: a child process that ends has its sockets read to their ends, and closed.
  client.resume().destroy();
  const end = endOf(socketTransport(server));
  end.open();
  end.transport.send('still open', []);
  await nextTurn();
  expect(end.losses).toEqual([]);
});

test('stream - a socket that hides what it is made of is read as it is', async () => {
  const [client, server] = await sockets();
  const hidden = new Proxy(client, { get: (of, name) => (name === '_handle' ? undefined : member(of, name)) });
  expect(SocketChunks.over(hidden)).toBeNull();
  const end = endOf(socketTransport(hidden));
  end.open();
  const other = endOf(socketTransport(server));
  other.open();
  other.transport.send('a frame', []);
  await end.count(1);
  expect(end.received).toEqual(['a frame']);
});

function member(socket: Socket, name: string | symbol): unknown {
  const value: unknown = Reflect.get(socket, name, socket);
  return typeof value === 'function' ? (value as () => unknown).bind(socket) : value;
}

async function sockets(): Promise<readonly [Socket, Socket]> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const client = connect((listener.address() as { port: number }).port, '127.0.0.1');
  const [[server]] = await Promise.all([accepted, once(client, 'connect')]);
  listener.close();
  for (const socket of [client, server]) onTestFinished(() => void socket.destroy());
  return [client, server];
}

/** The bytes that a transport sends for a value. */
async function bytesOf(value: unknown): Promise<Buffer> {
  const output = new PassThrough();
  streamTransport(new PassThrough(), output).send(value, []);
  await nextTurn();
  return output.read() as Buffer;
}

test('stream - a frame that comes byte by byte, and several in one chunk', async () => {
  const input = new PassThrough();
  const end = endOf(streamTransport(input, new PassThrough()));
  end.open();
  const frame = await bytesOf(['text', 1]);
  for (const byte of frame) input.write(Buffer.from([byte]));
  input.write(Buffer.concat([frame, frame, frame.subarray(0, 5)]));
  input.write(frame.subarray(5));
  await end.count(4);
  expect(end.received).toEqual(
    Array(4)
      .fill(null)
      .map(() => ['text', 1]),
  );
});

test('stream - bytes that are missing, too many or of no frame are the loss, not a long wait', async () => {
  const frame = await bytesOf('a frame');
  const torn: Record<string, Buffer> = {
    missing: Buffer.concat([frame.subarray(0, -3), frame, frame]),
    'too many': Buffer.concat([frame, Buffer.from('xyz'), frame, frame]),
    'of no frame': Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
    'a long length': Buffer.concat([Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]), frame]),
    'no value': Buffer.from([0, 0, 0, 2, 0xff, 0xff, 0xff, 0xfd, 1, 2]),
    empty: Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
  };
  for (const [what, bytes] of Object.entries(torn)) {
    const input = new PassThrough();
    const end = endOf(streamTransport(input, new PassThrough()));
    end.open();
    input.write(bytes);
    await end.isLost.opened;
    input.write(frame);
    await nextTurn();
    const { received, losses } = end;
    expect({ what, few: received.length < 2, losses: losses.length }).toEqual({ what, few: true, losses: 1 });
    expect(losses[0]?.message).toContain('could not be read');
  }
});

test('stream - the end in the middle of a frame is the loss', async () => {
  const input = new PassThrough();
  const end = endOf(streamTransport(input, new PassThrough()));
  end.open();
  const frame = await bytesOf('a frame');
  input.end(Buffer.concat([frame, frame.subarray(0, 9)]));
  await end.isLost.opened;
  expect(end.received).toEqual(['a frame']);
});

test('stream - one that failed before it was opened is lost when it is', async () => {
  const input = new PassThrough();
  const end = endOf(streamTransport(input, new PassThrough()));
  input.destroy(new Error('cut'));
  await nextTurn();
  end.open();
  expect(end.losses).toEqual([]);
  await end.isLost.opened;
  expect(end.losses.map(({ message }) => message)).toEqual(['The stream failed: cut']);
});

test('stream - the last words of a side that reads no more are heard', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const end = endOf(streamTransport(input, output));
  end.open();
  const frame = await bytesOf('last words');
  output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await nextTurn();
  input.end(frame);
  await end.isLost.opened;
  expect(end.received).toEqual(['last words']);
});

test('stream - a value with a port or shared memory is refused, with the path of it', async () => {
  const Moved = BaseEvent.extend('Moved', { value: z.unknown() });
  const [down, up] = [new PassThrough(), new PassThrough()];
  const here = quietBus({ name: 'HereOfStreams' });
  const there = quietBus({ name: 'ThereOfStreams' });
  there.on('*', () => 'taken');
  const [remote] = await Promise.all([
    linkBuses(here, streamTransport(up, down)),
    linkBuses(there, streamTransport(down, up)),
  ]);
  onTestFinished(() => remote.close());
  const { port1 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const buffer = new ArrayBuffer(4);
  const withPort = new Moved({ value: { list: [1, { port: port1 }], buffer } });
  const error = await rejection(remote.dispatch(withPort, { transfer: [buffer, port1] }).eventResult());
  expect(isUnserializableError(error)).toBe(true);
  expect(error).toMatchObject({ path: 'value.list[1].port' });
  expect(buffer.byteLength).toBe(4);
  const shared = await rejection(remote.dispatch(new Moved({ value: new SharedArrayBuffer(4) })).eventResult());
  expect(isUnserializableError(shared)).toBe(true);
  expect(shared).toMatchObject({ path: 'value' });
  expect(await remote.dispatch(new Moved({ value: buffer }), { transfer: [buffer] }).eventResult()).toBe('taken');
  expect(buffer.byteLength).toBe(0);
});

test('stream - a connection that fails while it sends is no fault of the value', async () => {
  const here = quietBus({ name: 'HereOfFailure' });
  const { port1, port2 } = new MessageChannel();
  const inner = portTransport(port1);
  let broken = false;
  const transport: Transport = {
    ...inner,
    send: (frame, transfer) => {
      if (broken) throw new Error('connection closed');
      inner.send(frame, transfer);
    },
  };
  const there = quietBus({ name: 'ThereOfFailure' });
  const [remote] = await Promise.all([linkBuses(here, transport), linkBuses(there, port2)]);
  broken = true;
  const error = await rejection(remote.dispatch(new (BaseEvent.extend('Sent', {}))({})).eventResult());
  expect(error).toMatchObject({ name: 'LinkError', cause: { message: 'connection closed' } });
  expect(() => remote.dispatch(new (BaseEvent.extend('Sent', {}))({}))).toThrow('connection closed');
});
