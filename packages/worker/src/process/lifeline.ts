/**
 * Runs in a thread of a process with a bus, so that the process ends with its parent even while a handler blocks it.
 *
 * The parent never writes to the line; its end is the parent's, however that came about.
 */
import { Socket } from 'node:net';
import { lifelineFd } from './descriptors.ts';

/** Milliseconds for the process to end by itself, in order. */
const grace = 1000;

const line = new Socket({ fd: lifelineFd, readable: true, writable: false });
line.on('error', () => undefined);
line.on('close', () => setTimeout(() => process.kill(process.pid, 'SIGKILL'), grace));
line.resume();
