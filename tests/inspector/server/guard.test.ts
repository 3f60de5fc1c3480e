import { once } from 'node:events';
import net from 'node:net';
import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { openInspector, type Reply, type Served } from '../../helpers/inspector-page.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const loopback = (page: Served): string => `127.0.0.1:${page.port}`;

test('guard - without a token, or with another, nothing is shown', async () => {
  const page = await openInspector();
  const paths = ['/', '/app.js', '/events', '/event?id=x', '/top', '/nothing', '/?token=', `/?token=${'x'.repeat(22)}`];
  for (const path of paths) {
    const { status, text } = await page.ask(path, { authorization: '' });
    expect([path, status]).toEqual([path, 401]);
    expect(text).not.toContain(page.token);
  }
  expect((await page.ask('/top', { authorization: `Bearer ${page.token}x` })).status).toBe(401);
  expect((await page.ask('/top', { authorization: `Bearer ${page.token.slice(1)}` })).status).toBe(401);
  expect((await page.ask('/top', { authorization: `Basic ${page.token}` })).status).toBe(401);
});

test('guard - a Host that is not ours is refused, whatever else is right: an attacker may call his page 127.0.0.1', async () => {
  const page = await openInspector();
  const { port } = page;
  const foreign = [
    'evil.example',
    `evil.example:${port}`,
    '127.0.0.1',
    `127.0.0.1:${port + 1}`,
    `127.0.0.1:${port}.evil`,
  ];
  for (const host of [...foreign, `localhost.:${port}`, `0.0.0.0:${port}`, `user@127.0.0.1:${port}`]) {
    expect([host, (await page.ask('/top', { host })).status]).toEqual([host, 403]);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`]) {
    expect([host, (await page.ask('/top', { host })).status]).toEqual([host, 200]);
  }
});

test('guard - what comes from a page of another origin is refused, its forms and scripts', async () => {
  const page = await openInspector({ write: true });
  const cookie = await cookieOf(page);
  const asked = async (headers: Record<string, string>, method = 'GET', path = '/top'): Promise<number> =>
    (await page.ask(path, { authorization: '', cookie, ...headers }, method, method === 'POST' ? '{}' : undefined))
      .status;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const json = { 'content-type': 'application/json' };
  expect(await asked({ origin: 'https://evil.example' })).toBe(403);
  expect(await asked({ origin: 'null' })).toBe(403);
  expect(await asked({ origin: `https://${loopback(page)}` })).toBe(403);
  expect(await asked({ origin: `http://127.0.0.1:${page.port + 1}` })).toBe(403);
  expect(await asked({ origin: 'https://evil.example', ...json }, 'POST', '/dispatch')).toBe(403);
  expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(403);
  expect(await asked({ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }, 'GET', '/app.js')).toBe(403);
  expect(
    await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', ...form }, 'POST', '/dispatch'),
  ).toBe(403);
  expect(await asked(form, 'POST', '/dispatch')).toBe(415);
  expect(await asked({ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'GET', '/')).toBe(200);
  expect(await asked({ 'sec-fetch-site': 'same-origin', origin: `http://${loopback(page)}` })).toBe(200);
  expect(await asked({ ...json, origin: `http://${loopback(page)}` }, 'POST', '/dispatch')).toBe(400);
});

test('guard - nothing but GET is answered unless dispatching again is allowed', async () => {
  const page = await openInspector();
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE']) {
    const { status, headers } = await page.ask('/', { 'content-type': 'application/json' }, method);
    expect([method, status, headers.allow]).toEqual([method, 405, 'GET']);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('guard - what is longer than any request of the page is not read', async () => {
  const page = await openInspector({ write: true });
  const json = { 'content-type': 'application/json' };
  expect((await page.ask(`/top?${'x'.repeat(3000)}`)).status).toBe(414);
  expect((await page.ask('/top', { 'x-long': 'x'.repeat(10_000) }).catch(() => ({ status: 'cut' }))).status).toBe(
    'cut',
  );
  expect((await page.ask('/dispatch', json, 'POST', 'x'.repeat(20_000))).status).toBe(413);
  const chunked = { ...json, 'transfer-encoding': 'chunked' };
  expect((await page.ask('/dispatch', chunked, 'POST', 'x'.repeat(20_000))).status).toBe(413);
  expect((await page.ask('/top', { 'content-length': 4 }, 'GET', 'body')).status).toBe(400);
  expect((await page.ask('/dispatch', json, 'POST', '{"id":7}')).status).toBe(400);
  expect((await page.ask('/dispatch', json, 'POST', 'no json')).status).toBe(400);
});

test('guard - a request that trickles in is cut', async () => {
  const page = await openInspector();
  const socket = net.connect(page.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(`GET / HTTP/1.1\r\nHost: ${loopback(page)}\r\nX-Slow: `);
  await once(socket, 'close');
  expect((await page.ask('/top')).status).toBe(200);
});

test('guard - the first page takes the token for a cookie and names it no more', async () => {
  const page = await openInspector();
  const first = await page.ask(`/?token=${page.token}`, { authorization: '' });
  expect([first.status, first.headers.location]).toEqual([302, '/']);
  const [cookie = ''] = first.headers['set-cookie'] ?? [];
  expect(cookie).toContain(`threadbus_inspector_${page.port}=`);
  expect(cookie).toContain('HttpOnly; SameSite=Strict; Path=/');
  const second = await page.ask('/', { authorization: '', cookie: cookie.split(';', 1)[0] });
  expect(second.status).toBe(200);
  for (const path of ['/', '/app.js', '/app.css', '/top']) {
    expect((await page.ask(path)).text).not.toContain(page.token);
  }
  expect((await page.ask(`/top?token=${page.token}`, { authorization: '' })).status).toBe(200);
});

test('guard - each answer forbids what is from elsewhere, frames, and keeping', async () => {
  const page = await openInspector();
  const replies: Reply[] = [];
  for (const path of ['/', '/app.js', '/top', '/nothing', '/event?id=x']) replies.push(await page.ask(path));
  replies.push(
    await page.ask('/', { authorization: '' }),
    await page.ask('/', { host: 'evil' }),
    await page.ask('/', {}, 'PUT'),
  );
  replies.push(await page.ask(`/?token=${page.token}`));
  for (const { headers } of replies) {
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  }
});

test('guard - no path names a file that is not of the page', async () => {
  const page = await openInspector();
  for (const path of [
    '/../package.json',
    '/%2e%2e/package.json',
    '/constructor',
    '/__proto__',
    '/app.ts',
    '//etc/passwd',
  ])
    expect([path, (await page.ask(path)).status]).toEqual([path, 404]);
});

test('guard - it listens on loopback alone, and agents come in with their own secret only', async () => {
  const page = await openInspector();
  const look = await page.look();
  await look.agent(0);
  for (const secret of ['', page.token, 'x'.repeat(22)]) {
    const socket = net.connect(page.port, '127.0.0.1');
    socket.write(
      `GET /agent HTTP/1.1\r\nHost: ${loopback(page)}\r\nConnection: Upgrade\r\nUpgrade: threadbus-agent\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
    );
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  }
});

test('guard - dispatching again runs a new event of the same payload, if it is allowed', async () => {
  const page = await openInspector({ write: true });
  const bus = quietBus({ name: 'Again' });
  const seen: unknown[] = [];
  bus.on('Count', (event) => void seen.push((event as { n?: number }).n));
  const look = await page.look();
  await look.agent(0);
  await bus.dispatch(new BaseEvent({ n: 7 }, { event_type: 'Count' }));
  const { id } = await look.event('Count', ({ done }) => done !== null);
  const json = { 'content-type': 'application/json' };
  const { status, text } = await page.ask('/dispatch', json, 'POST', JSON.stringify({ id }));
  expect(status).toBe(200);
  const { dispatched } = JSON.parse(text) as { dispatched: string };
  await look.until(() => look.events.get(dispatched)?.done);
  expect(seen).toEqual([7, 7]);
  expect((await page.ask('/dispatch', json, 'POST', '{"id":"none"}')).status).toBe(404);
});

async function cookieOf(page: Served): Promise<string> {
  const { headers } = await page.ask(`/?token=${page.token}`);
  return headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '';
}
