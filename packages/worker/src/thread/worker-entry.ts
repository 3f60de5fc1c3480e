/** First file of a thread that is started as a bus: makes the thread ready for the user's entry, then loads it. */
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { observeUnwritten } from '@threadbus/core/internal';
import { portTransport } from '@threadbus/link';
import { nodeEndpoint } from './comlink-node-adapter.ts';
import { importModule } from './import-module.ts';
import { SharedBoardWriter } from './shared-board.ts';
import { setThreadInit, type ThreadMessage } from './thread-state.ts';

const init = workerData as ThreadMessage;
setThreadInit({
  ...init,
  events: portTransport(init.events),
  control: nodeEndpoint(init.control),
  board: new SharedBoardWriter(init.board),
});

const unwritten = new Int32Array(init.unwritten);
observeUnwritten((lines) => Atomics.store(unwritten, 0, lines));

// The entry is to see its own workerData, however it imports it.
const workerThreads = createRequire(import.meta.url)('node:worker_threads') as { workerData: unknown };
workerThreads.workerData = init.workerData;
syncBuiltinESMExports();

if (init.entry.startsWith('file:')) process.argv[1] = fileURLToPath(init.entry);
await importModule(init.entry);
