// What users ask, in their words, and where the site answers: typed into its search, each must lead to its page, and the
// page must say it. Part of `npm run check:site`.

export const questions = [
  { ask: 'how do I cancel an event?', page: 'cancelling', says: 'One AbortSignal is enough' },
  { ask: 'where did my log lines go?', page: 'faq', says: 'comes out before its answer' },
  { ask: 'what if the process is killed?', page: 'log', says: 'outlives process.exit, an uncaught error and kill -9' },
  { ask: 'why is my class gone in the thread?', page: 'faq', says: 'A thread loads its own copy of every module' },
  { ask: 'my handler is not called', page: 'faq', says: 'Was it registered for the type that was dispatched?' },
  { ask: 'timeout did not stop my handler', page: 'faq', says: "On your own thread JavaScript can't be interrupted" },
  { ask: 'why does my process not exit?', page: 'faq', says: "Idle buses, pools, links and threads don't hold it" },
  { ask: 'how do I test my handlers?', page: 'testing', says: 'a test makes a bus of its own' },
  { ask: 'graceful shutdown SIGTERM', page: 'production', says: 'nothing is installed for you' },
  { ask: 'pass request id to a thread', page: 'context', says: 'registerPortableContext names what is to travel' },
  { ask: 'too many events at once', page: 'history', says: 'waitForCapacity' },
  { ask: 'limit how many run at once in all processes', page: 'semaphores', says: 'all processes of the machine' },
  { ask: 'run typescript with tsx in a thread', page: 'typescript', says: 'started with tsx' },
  { ask: 'move a buffer without copying', page: 'threads', says: 'the buffer itself: moved, and gone here' },
  { ask: 'can a handler run twice after a crash?', page: 'guarantees', says: 'nothing runs twice' },
  { ask: 'segfault in a native addon', page: 'processes', says: 'ends that process; the bus is replaced' },
  { ask: 'are events handled in order?', page: 'guarantees', says: 'in the order of their dispatch' },
  { ask: 'wait until everything is done', page: 'waiting', says: 'waitUntilIdle' },
  { ask: 'retry with backoff', page: 'retry', says: 'backoffFactor' },
  { ask: 'use it with docker and kubernetes', page: 'production', says: 'Dockerfile' },
];
