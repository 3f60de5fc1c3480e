/** First file of a process that is started as a bus: makes the process ready for the user's entry, then loads it. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { observeUnwritten } from '@threadbus/core/internal';
import { streamTransport } from '@threadbus/link';
import { chunksTransport, encodeThrown, SocketChunks } from '@threadbus/link/internal';
import { lifelineEntry } from '../entries.ts';
import { type HostInit, setThreadInit } from '../thread/thread-state.ts';
import { StreamEndpoint } from './control-stream.ts';
import { boardFd, controlFd, linkFd } from './descriptors.ts';
import { FileBoardWriter } from './file-board-writer.ts';

// Before anything of the user's can block this thread.
new Worker(lifelineEntry(), { execArgv: [], stdin: false }).unref();

// In a terminal Ctrl-C reaches the whole group: what it means is for the parent to say, with whom this process ends.
process.on('SIGINT', () => undefined);

const board = new FileBoardWriter(boardFd);
observeUnwritten((lines) => board.setUnwritten(lines));
process.on('uncaughtExceptionMonitor', (error) => {
  // The parent tells whoever waits what was thrown; said here too it would be said twice.
  const told = board.leaveWords(serialize(encodeThrown(error)));
  if (told && process.listenerCount('uncaughtException') === 0) process.exit(1);
});

const events = SocketChunks.at(linkFd);
events.socket.on('close', () => process.exit());
const controlSocket = new Socket({ fd: controlFd, readable: true, writable: true });
const control = streamTransport(controlSocket, controlSocket);
const endpoint = new StreamEndpoint(control);

const init = await new Promise<HostInit>((resolve) => {
  let first = true;
  control.open(
    (message) => {
      if (!first) {
        endpoint.receive(message);
        return;
      }
      first = false;
      resolve(message as HostInit);
    },
    () => undefined,
  );
});
// From here on the entry has to give this process a reason to stay.
control.unref();
events.socket.unref();
setThreadInit({ ...init, events: chunksTransport(events), control: endpoint, board });

// The entry is to see its own workerData, however it imports it.
const workerThreads = createRequire(import.meta.url)('node:worker_threads') as { workerData: unknown };
workerThreads.workerData = init.workerData;
syncBuiltinESMExports();

if (init.entry.startsWith('file:')) process.argv[1] = fileURLToPath(init.entry);
await import(init.entry);
