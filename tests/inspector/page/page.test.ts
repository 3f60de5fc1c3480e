import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { inspect } from '@threadbus/inspector';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { browserPath, launchBrowser, leastContrastOf, widthBeyond } from '../../../scripts/browser.mjs';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const pictures = fileURLToPath(new URL('../../../node_modules/.cache/inspector/', import.meta.url));
const texts = 'h1, h2, h3, p, span, td, th, pre, button, label, small, li';
/** Machines are shared: a summary comes every other second, and then is painted. */
const patience = { timeout: 15_000 };
const markup = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>';

// A browser, threads and a page that is painted now and then: where others need the processor too, all of it takes its time.
vi.setConfig({ testTimeout: 60_000 });

// Without a Chromium there is nothing to look with: on Debian, `apt-get install chromium`.
const noBrowser = browserPath === undefined;
let browser: Browser;

beforeAll(async () => {
  if (browserPath !== undefined) browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  if (browserPath !== undefined) await browser.close();
});

interface Opened {
  readonly page: Page;
  readonly bus: EventBus;
  readonly url: string;
  /** Ends the page's server. */
  readonly close: () => Promise<void>;
}

/** The page as people have it: nothing goes wrong on it, and nothing is asked of anybody else. */
async function open(
  options: Parameters<typeof inspect>[0] = {},
  view: Parameters<Browser['newContext']>[0] = {},
): Promise<Opened> {
  const inspector = await inspect(options);
  const context: BrowserContext = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...view });
  const page = await context.newPage();
  const problems: string[] = [];
  let isClosed = false;
  const { origin } = new URL(inspector.url);
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // That a program which has ended doesn't answer, the browser says too.
    const isGone = isClosed && message.text().startsWith('Failed to load resource: net::');
    if ((message.type() === 'error' || message.type() === 'warning') && !isGone) problems.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  onTestFinished(async () => {
    await context.close();
    await inspector.close();
    expect(problems).toEqual([]);
  });
  await page.goto(inspector.url);
  await page.getByText('live', { exact: true }).waitFor();
  const close = async (): Promise<void> => {
    isClosed = true;
    await inspector.close();
  };
  return { page, bus: quietBus({ name: 'Main' }), url: inspector.url, close };
}

const event = (event_type: string, payload: object = {}, more: object = {}): BaseEvent =>
  new BaseEvent(payload, { event_type, ...more });

async function farBus(bus: EventBus): Promise<WorkerBus> {
  const far = await WorkerBus.start(fixtureUrl('inspector/far-bus'), { parent: bus });
  onTestFinished(() => far.stop());
  return far;
}

const rows = (page: Page, type: string): ReturnType<Page['locator']> => page.locator('.event', { hasText: type });

test.skipIf(noBrowser)(
  'page - the address loses its token, the list fills, a filter and errors only thin it out',
  async () => {
    const { page, bus, url } = await open();
    expect(page.url()).toBe(`${new URL(url).origin}/`);
    bus.on('Works', () => 1);
    bus.on('Breaks', () => {
      throw new TypeError('broken on purpose');
    });
    for (let n = 0; n < 5; n += 1) await bus.dispatch(event('Works', { n }));
    await bus.dispatch(event('Breaks'));
    await rows(page, 'Works').nth(4).waitFor();
    await rows(page, 'Breaks').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('type:Work');
    await expect.poll(() => page.locator('.event').count(), patience).toBe(5);
    await page.locator('#filter').fill('-type:Work');
    await expect
      .poll(() => page.locator('.event').allTextContents(), patience)
      .toEqual([expect.stringContaining('Breaks')]);
    await page.locator('#filter').fill('');
    await page.locator('#trouble').click();
    await expect.poll(() => page.locator('.event').count(), patience).toBe(1);
    await rows(page, 'Breaks').click();
    const error = page.locator('#details .error');
    await error.waitFor();
    expect(await error.textContent()).toMatch(/^TypeError: broken on purpose\n\n.*page\.test\.ts/s);
  },
);

test.skipIf(noBrowser)(
  'page - says what share of the events it shows, and how many failures it could not',
  async () => {
    const { page } = await open();
    const bus = quietBus({ name: 'Burst', maxPending: null });
    bus.on('Works', () => 1);
    const broken = new TypeError('broken on purpose');
    bus.on('Breaks', () => {
      throw broken;
    });
    await bus.dispatch(event('Works'));
    await rows(page, 'Works').first().waitFor();
    expect(await page.locator('#share').textContent()).toBe('');
    for (let n = 0; n < 6000; n += 1) bus.dispatch(event('Works'));
    await expect
      .poll(() => page.locator('#share').textContent(), patience)
      .toMatch(/^a sample: of the last seconds 1 event in [\d.]+ is shown$/);
    for (let n = 0; n < 6000; n += 1) bus.dispatch(event('Breaks'));
    await expect.poll(() => page.locator('#counts').textContent(), patience).toMatch(/[\d,]+ failed calls not shown/);
    // Everything is shown again once there is less of it.
    await expect.poll(() => page.locator('#share').textContent(), patience).toBe('');
  },
);

/** Runs in the page, once it listens: when it is told of an event of type Late, `heard` is there. */
const listenForLate = `new Promise((listens) => {
  const stream = new EventSource('/events');
  stream.addEventListener('hello', () => listens());
  stream.addEventListener('batch', ({ data }) => {
    if (data.includes('"Late"')) globalThis.heard = true;
  });
})`;

test.skipIf(noBrowser)('page - pause holds the list still, and going on shows what came meanwhile', async () => {
  const { page, bus } = await open();
  bus.on('Tick', () => 1);
  await bus.dispatch(event('Tick'));
  await rows(page, 'Tick').waitFor();
  await page.locator('#pause').click();
  // A stream of its own, which is written to behind that of the page.
  await page.evaluate(listenForLate);
  await bus.dispatch(event('Tick'));
  await bus.dispatch(event('Late'));
  await page.waitForFunction(() => 'heard' in globalThis);
  expect(await page.locator('.event').count()).toBe(1);
  await page.keyboard.press('p');
  await rows(page, 'Late').waitFor();
  expect(await page.locator('.event').count()).toBe(3);
});

test.skipIf(noBrowser)(
  'page - an event shows a lane for each thread, payload and result; a thread that is killed ends its lane',
  async () => {
    const { page, bus } = await open();
    const far = await farBus(bus);
    const pool = new HandlerPool({ maxThreads: 1 });
    onTestFinished(() => pool.stop());
    bus.on('Crunch', pool.handler(fixtureUrl('inspector/task')));
    bus.on('FileFound', far.dispatch);
    bus.on('Loop', far.dispatch);
    bus.on('Request', async function answer() {
      await bus.dispatch(event('Crunch', { n: 1 }));
      await bus.dispatch(event('FileFound', { path: 'a.jpg' }));
      return { answered: 42 };
    });
    await page.locator('.card', { hasText: 'Far' }).waitFor();
    await bus.dispatch(event('Crunch'));
    await bus.dispatch(event('Request', { question: 'why', password: 'hush' }));
    await rows(page, 'Request').click();
    await page.locator('.lane', { hasText: `thread ${far.threadId}` }).waitFor();
    await page.locator('.lane', { hasText: 'main' }).waitFor();
    await expect.poll(() => page.locator('.lane').count(), patience).toBe(3);
    await page.locator('.payload').waitFor();
    expect(await page.locator('.payload').textContent()).toBe('{\n  "question": "why",\n  "password": "•••"\n}');
    await expect.poll(() => page.locator('.result').textContent(), patience).toBe('{\n  "answered": 42\n}');
    await expect.poll(() => page.locator('#graph').textContent(), patience).toContain('Far');
    const { threadId } = far;
    await bus.dispatch(event('Loop', {}, { event_timeout: 0.3 }));
    await rows(page, 'Loop').click();
    const lane = page.locator('.lane', { hasText: `thread ${threadId}` });
    await lane.waitFor();
    await expect.poll(() => page.locator('.calls').textContent(), patience).toContain('error');
    await expect.poll(() => page.locator('#threads').textContent(), patience).toContain(`thread ${threadId}: blocked`);
  },
);

test.skipIf(noBrowser)('page - what looks like HTML stays text: in names, payloads, results and errors', async () => {
  const { page, bus } = await open();
  const handlerNamed = { [markup]: () => markup }[markup];
  bus.on('Marked', handlerNamed);
  bus.on('Marked', () => {
    throw new Error(markup);
  });
  await bus.dispatch(event('Marked', { [markup]: markup, __proto__: 1 }));
  await rows(page, 'Marked').click();
  await page.locator('.payload').waitFor();
  expect(await page.locator('.payload').textContent()).toContain('<img src=x onerror=');
  await expect.poll(() => page.locator('.result').textContent(), patience).toBe(markup);
  expect(await page.locator('.error').textContent()).toContain(markup);
  await expect.poll(() => page.locator('#slow').textContent(), patience).toContain(markup);
  expect(await page.locator('img, #details script, #list script').count()).toBe(0);
  expect(await page.title()).not.toBe('broken');
});

test.skipIf(noBrowser)('page - all of it can be reached by keys', async () => {
  const { page, bus } = await open();
  bus.on('Key', () => 1);
  for (let n = 0; n < 3; n += 1) await bus.dispatch(event('Key', { n }));
  await rows(page, 'Key').nth(2).waitFor();
  await page.locator('#list').focus();
  const selected = page.locator('.event[aria-selected="true"]');
  const first = await page.locator('.event').first().getAttribute('data-id');
  await page.keyboard.press('ArrowDown');
  expect(await selected.getAttribute('data-id')).toBe(first);
  expect(await page.locator('#list').getAttribute('aria-activedescendant')).toBe(`event-${first}`);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await selected.count()).toBe(1);
  await page.keyboard.press('Enter');
  expect(await page.locator(':focus').getAttribute('id')).toBe('details');
  await page.keyboard.press('Escape');
  expect(await selected.count()).toBe(0);
  expect(await page.locator(':focus').getAttribute('id')).toBe('list');
  await page.keyboard.press('e');
  expect(await page.locator('#trouble').getAttribute('aria-pressed')).toBe('true');
});

test.skipIf(noBrowser)('page - a row that changes while it is pressed is chosen all the same', async () => {
  const { page, bus } = await open();
  const end = gate();
  bus.on('Takes', () => end.opened);
  const taken = bus.dispatch(event('Takes'));
  const row = rows(page, 'Takes');
  await row.hover();
  await page.evaluate(`document.querySelector('[data-id]').pressed = true`);
  await page.mouse.down();
  end.open();
  await taken;
  // It is another element now.
  await expect.poll(() => page.evaluate(`document.querySelector('[data-id]').pressed`), patience).toBeUndefined();
  await page.mouse.up();
  await page.locator('#details h2', { hasText: 'Takes' }).waitFor();
});

test.skipIf(noBrowser)('page - dispatches again only if that is allowed', async () => {
  const { page, bus, close } = await open({ write: true });
  let runs = 0;
  bus.on('Again', () => (runs += 1));
  await bus.dispatch(event('Again'));
  await rows(page, 'Again').click();
  await page.locator('#dispatch').click();
  await rows(page, 'Again').nth(1).waitFor();
  expect(runs).toBe(2);
  await close();
  await page.getByText('the program does not answer').waitFor();
  await page.goto('about:blank');
  const readOnly = await open();
  await bus.dispatch(event('Again'));
  await rows(readOnly.page, 'Again').first().click();
  await readOnly.page.locator('.payload').waitFor();
  expect(await readOnly.page.locator('#dispatch').count()).toBe(0);
});

for (const colorScheme of ['light', 'dark'] as const) {
  for (const width of [1280, 400]) {
    test.skipIf(noBrowser)(`page - can be read at ${width} px in ${colorScheme}`, async () => {
      const { page, bus } = await open({}, { colorScheme, viewport: { width, height: 900 } });
      bus.on('Breaks', function breaks() {
        throw new TypeError('broken on purpose');
      });
      bus.on('Works', async function works() {
        await bus.dispatch(event('Breaks'));
      });
      for (let n = 0; n < 8; n += 1) await bus.dispatch(event('Works', { n, text: 'long '.repeat(50) }));
      await rows(page, 'Works').first().click();
      await page.locator('.payload').waitFor();
      await expect.poll(() => page.locator('#slow').textContent(), patience).toContain('works');
      expect(await widthBeyond(page)).toBeLessThanOrEqual(0);
      expect(await leastContrastOf(page, texts)).toBeGreaterThanOrEqual(4.5);
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: `${pictures}page-${colorScheme}-${width}.png`, fullPage: true });
    });
  }
}
