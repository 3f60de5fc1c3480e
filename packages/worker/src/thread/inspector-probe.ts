import { readdir, readFile, readlink } from 'node:fs/promises';
import { get } from 'node:http';
import { startTimer } from '@threadbus/core/internal';

/** Seconds for an inspector to answer: it does so from a thread of its own, whatever its process does. */
const patience = 0.3;

/**
 * Whether a process has opened its inspector while it ran, by `inspector.open()` or SIGUSR1.
 *
 * Node tells nobody of it but the process itself, which may stand at a breakpoint by now. So its ports are asked, as a
 * debugger does that looks for something to attach to. Where the system doesn't say which ports those are (it does on
 * Linux) nobody can know: false.
 */
export async function hasInspector(pid: number): Promise<boolean> {
  try {
    const [own, ...tables] = await Promise.all([
      socketsOf(pid),
      readFile(`/proc/${pid}/net/tcp`, 'latin1'),
      readFile(`/proc/${pid}/net/tcp6`, 'latin1').catch(() => ''),
    ]);
    const listening = tables.flatMap((table) => table.split('\n').slice(1)).flatMap(listenerIn);
    const asked = listening.filter(({ socket }) => own.has(socket)).map(async (at) => isInspector(at));
    return (await Promise.all(asked)).includes(true);
  } catch {
    return false;
  }
}

async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const links = (await readdir(folder)).map(async (fd) => readlink(`${folder}/${fd}`).catch(() => ''));
  return new Set((await Promise.all(links)).flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly socket: string;
}

/** A line of the system's table: `0: 0100007F:240D 00000000:0000 0A … inode …` */
function listenerIn(line: string): Listener[] {
  const [, local = '', , state, , , , , , socket = ''] = line.trim().split(/\s+/);
  const [address = '', port = ''] = local.split(':');
  if (state !== '0A') return [];
  return [{ host: hostOf(address), port: Number.parseInt(port, 16), socket }];
}

/** Four bytes, the last first; what listens everywhere listens here. Of longer addresses only this machine's own. */
function hostOf(address: string): string {
  if (address.length > 8) return '::1';
  const host = [6, 4, 2, 0].map((at) => Number.parseInt(address.slice(at, at + 2), 16)).join('.');
  return host === '0.0.0.0' ? '127.0.0.1' : host;
}

async function isInspector({ host, port }: Listener): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const request = get({ host, port, path: '/json/version', agent: false }, (response) => {
      response.setEncoding('utf8').on('data', (more: string) => {
        text += more;
        if (text.length > 4096) request.destroy();
      });
    });
    const timer = startTimer(patience, () => request.destroy(), true);
    request.on('error', () => resolve(false));
    request.on('close', () => {
      timer.cancel();
      resolve(text.includes('"Protocol-Version"'));
    });
  });
}
