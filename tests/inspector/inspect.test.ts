import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { inspect } from '@threadbus/inspector';
import { isLookedOn } from '@threadbus/core/internal';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';
import { rejection } from '../helpers/gate.ts';
import { openInspector, Served } from '../helpers/inspector-page.ts';

test('inspect - gives an address on loopback with a token, another each time', async () => {
  const first = await inspect();
  expect(first.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{22}$/);
  expect((await new Served(first.url).ask('/')).status).toBe(200);
  await first.close();
  await first.close();
  const page = new Served(first.url);
  expect(await rejection(page.ask('/'))).toMatchObject({ code: 'ECONNREFUSED' });
  await using second = await inspect();
  expect(new Served(second.url).token).not.toBe(page.token);
});

test('inspect - a second call gives the same page, with other options it is refused and names them', async () => {
  const redact = (_path: string, value: unknown): unknown => value;
  const first = await inspect({ redact });
  onTestFinished(() => first.close());
  expect(await inspect({ redact, port: 0, write: false })).toBe(first);
  const other = await rejection(inspect({ redact: (_path, value) => value }));
  expect(other).toBeInstanceOf(TypeError);
  expect(other.message).toContain('another redact');
  expect((await rejection(inspect({ redact, write: true }))).message).toContain('another write');
  await first.close();
  await using again = await inspect({ write: true });
  expect(again.url).not.toBe(first.url);
});

test('inspect - a port that is taken is said so, and what failed can be tried again', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  expect(await rejection(inspect({ port }))).toMatchObject({ code: 'EADDRINUSE' });
  await using page = await inspect();
  expect(page.url).toContain('http://127.0.0.1:');
});

test('inspect - production is refused unless it is meant', async () => {
  const { NODE_ENV: before } = process.env;
  process.env['NODE_ENV'] = 'production';
  onTestFinished(() => {
    process.env['NODE_ENV'] = before;
  });
  expect((await rejection(inspect())).message).toContain('allowProduction: true');
  await using page = await inspect({ allowProduction: true });
  expect(page.url).toContain('token=');
});

test.each([
  [{ prot: 1 }, TypeError, /inspect has no option 'prot'\. It has: port, redact, write, allowProduction/],
  [{ port: '80' }, TypeError, /Expected port of inspect to be a number from 0 to 65535; got the string "80"/],
  [{ port: 70_000 }, RangeError, /whole number from 0 to 65535; got 70000/],
  [{ port: 1.5 }, RangeError, /got 1\.5/],
  [{ redact: 'token' }, TypeError, /Expected redact of inspect to be a function, .* or the URL of a module/],
  [{ write: 1 }, TypeError, /Expected write to be true or false/],
  [{ allowProduction: 'yes' }, TypeError, /Expected allowProduction to be true or false/],
  [null, TypeError, /Expected the options of inspect to be an object/],
])('inspect - refuses %j', async (options, kind, message) => {
  const error = await rejection(inspect(options as never));
  expect(error).toBeInstanceOf(kind);
  expect(error.message).toMatch(message);
});

test('inspect - watches only while somebody looks', async () => {
  const page = await openInspector();
  expect(isLookedOn()).toBe(false);
  const one = await page.look();
  const two = await page.look();
  await Promise.all([one.agent(0), two.agent(0)]);
  expect(isLookedOn()).toBe(true);
  one.end();
  await two.until(() => two.batches.length > 2);
  expect(isLookedOn()).toBe(true);
  two.end();
  while (isLookedOn()) await page.ask('/top');
  const three = await page.look();
  await three.agent(0);
  expect(isLookedOn()).toBe(true);
});

test('inspect - keeps no process alive, looked at or not', async () => {
  const child = spawn(process.execPath, [fileURLToPath(fixtureUrl('inspector/looked-at'))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill());
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const closed = once(child, 'close');
  while (!out.includes('\n')) await once(child.stdout, 'data');
  const page = new Served(out.trim());
  const look = await page.look();
  await look.agent(0, child.pid);
  child.stdout.removeAllListeners('data');
  expect(await closed).toEqual([0, null]);
});

test('register - the page of a program that knows nothing of it; its threads and processes open none', async () => {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('@threadbus/inspector/register'), fileURLToPath(fixtureUrl('inspector/program'))],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, THREADBUS_INSPECTOR_PORT: '' } },
  );
  onTestFinished(() => void child.kill());
  let errors = '';
  let out = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes('ready\n')) await once(child.stdout, 'data');
  const [, url = ''] = /^threadbus inspector: (http:\S+)$/m.exec(errors) ?? [];
  const look = await new Served(url).look();
  await look.until(() => look.numbers.length === 4);
  const pids = new Set(look.numbers.map(({ pid }) => pid));
  expect(pids.size).toBe(2);
  child.stdin.end('go\n');
  const request = await look.event('Request', ({ done }) => done !== null);
  expect(request.outcome).toBe('succeeded');
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(errors.match(/threadbus inspector/g)).toHaveLength(1);
});

test('register - threads that the program starts by itself report, before and after somebody looks, with what crosses links', async () => {
  const child = spawn(
    process.execPath,
    [
      '--import',
      import.meta.resolve('@threadbus/inspector/register'),
      fileURLToPath(fixtureUrl('inspector/own-threads')),
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, THREADBUS_INSPECTOR_PORT: '' } },
  );
  onTestFinished(() => void child.kill());
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const started = async (): Promise<number> => Number(String((await lines.next()).value).split(' ')[1]);
  const before = await started();
  const [, url = ''] = /^threadbus inspector: (http:\S+)$/m.exec(errors) ?? [];
  const look = await new Served(url).look();
  const use = async (thread: number): Promise<void> => {
    await look.agent(thread, child.pid);
    child.stdin.write('use\n');
    await look.event('Alone', ({ born }) => born !== null);
    // What crossed the link, and what it led to there, is one tree.
    const inner = await look.event('Inner', ({ calls }) => calls[0]?.thread === thread);
    const asked = await look.until(() => look.events.get(inner.parent ?? ''));
    expect([asked.type, asked.calls[0]?.thread]).toEqual(['Asked', thread]);
    child.stdin.write('end\n');
    await look.until(() => look.numbers.every((each) => each.thread !== thread));
  };
  await use(before);
  child.stdin.write('start\n');
  await use(await started());
  expect(errors.match(/threadbus inspector/g)).toHaveLength(1);
});

test('register - what keeps the page from being opened is said, and ends nothing', async () => {
  const taken = net.createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void taken.close());
  await once(taken, 'listening');
  const ports = [String((taken.address() as AddressInfo).port), 'seventy'];
  for (const port of ports) {
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('@threadbus/inspector/register'), '-e', 'console.log("goes on")'],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, THREADBUS_INSPECTOR_PORT: port } },
    );
    let all = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (all += chunk.toString()));
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(all).toContain('goes on');
    expect(all).toMatch(/threadbus inspector: .*(?:EADDRINUSE|THREADBUS_INSPECTOR_PORT)/);
  }
});
