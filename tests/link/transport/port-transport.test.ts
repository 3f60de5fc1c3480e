import { portTransport } from '@threadbus/link';
import { once } from 'node:events';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { endOf, transportTests } from './contract.ts';

transportTests('port', async () => {
  const { port1, port2 } = new MessageChannel();
  return [portTransport(port1), portTransport(port2)];
});

test('port - a port in the transfer list moves', async () => {
  const { port1, port2 } = new MessageChannel();
  const inner = new MessageChannel();
  const [a, b] = [endOf(portTransport(port1)), endOf(portTransport(port2))];
  a.open();
  b.open();
  a.transport.send({ port: inner.port2 }, [inner.port2]);
  await b.count(1);
  const { port } = b.received[0] as { port: MessagePort };
  inner.port1.postMessage('through');
  expect(await once(port, 'message')).toEqual(['through']);
  port.close();
});

test('port - a message that this thread has no stack to read is the loss, and what comes behind it is not believed', async () => {
  const { port1, port2 } = new MessageChannel();
  const end = endOf(portTransport(port1));
  end.open();
  // A thread with more stack can send what this one can't read.
  const writer = new Worker(
    `const { workerData: port } = require('node:worker_threads');
    let deep = []; for (let i = 0; i < 50_000; i += 1) deep = [deep];
    port.postMessage('before'); port.postMessage(deep); port.postMessage('behind');`,
    { eval: true, workerData: port2, transferList: [port2], resourceLimits: { stackSizeMb: 32 } },
  );
  onTestFinished(async () => void (await writer.terminate()));
  await end.isLost.opened;
  expect(end.received).toEqual(['before']);
  expect(end.losses.map(({ message }) => message)).toEqual(['A message of the other side could not be read.']);
  end.transport.send('nobody is there', []);
});
