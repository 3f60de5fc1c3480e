// Looks at the site of the documentation as readers do, in a headless Chromium: `npm run check:site`, after `npm run docs`.
// Every internal link and anchor resolves, nothing comes from elsewhere, search finds what it is asked for, both colour
// schemes can be read, and nothing is wider than a phone. What users ask (site-questions.mjs) is found by the search alone;
// `npm run check:site -- --questions` asks only; with `--pictures` screenshots go to node_modules/.cache/site.
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browserPath, launchBrowser, leastContrastOf, widthBeyond } from './browser.mjs';
import { questions } from './site-questions.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const site = join(root, 'docs', '.vitepress', 'dist');
const pictures = join(root, 'node_modules', '.cache', 'site');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json' };
/** What a text must have against its background to be read (WCAG 2, AA). */
const leastContrast = 4.5;
const wantsPictures = process.argv.includes('--pictures');
const asked = ['HandlerPool', 'maxPending'];
/** What is seen without scrolling. */
const firstResults = 6;
const problems = [];

if (!existsSync(site)) fail('Expected the site in docs/.vitepress/dist, found none: run `npm run docs` first.');
const pages = readdirSync(site, { recursive: true })
  .filter((file) => file.endsWith('.html') && file !== '404.html')
  .map((file) => `/${file.split(sep).join('/')}`);
checkLinks();
if (browserPath === undefined) {
  console.log('site: no Chromium here, so only the links were checked. On Debian: apt-get install chromium');
} else await look();
if (problems.length > 0) fail(`${problems.join('\n')}\nsite: ${problems.length} problems`);
console.log(
  `site: ${pages.length} pages, all links resolve${browserPath === undefined ? '' : ', looked at in Chromium'}`,
);

/** Of all pages: a link leads to a page that is there, and to something on it that has that id. */
function checkLinks() {
  const html = new Map(pages.map((page) => [page, readFileSync(join(site, page), 'utf8')]));
  const ids = new Map([...html].map(([page, text]) => [page, idsOf(text)]));
  /** Most links are those of the sidebar: what is wrong with them, by where they lead. */
  const known = new Map();
  for (const [page, text] of html) {
    for (const [, href] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^(?:https?:|mailto:)/.test(href)) continue;
      const { pathname, hash } = new URL(href, `http://site${page}`);
      const target = pathname + hash;
      if (!known.has(target)) known.set(target, wrongWith(pathname, hash, ids));
      const wrong = known.get(target);
      if (wrong !== null) problems.push(`${page}: the link ${href} ${wrong}`);
    }
  }
}

function idsOf(text) {
  return new Set([...text.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));
}

function wrongWith(pathname, hash, ids) {
  const target = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
  const found = ids.get(decodeURI(target));
  if (found === undefined) return existsSync(join(site, target)) ? null : 'leads nowhere';
  const isThere = hash.length <= 1 || found.has(decodeURIComponent(hash.slice(1)));
  return isThere ? null : `leads to ${target}, where nothing has its id`;
}

async function look() {
  const server = createServer(serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await launchBrowser();
  try {
    const onlyAsks = process.argv.includes('--questions');
    await Promise.all([onlyAsks ? null : lookAtAll(browser, origin), search(browser, origin)]);
  } finally {
    await browser.close();
    server.close();
  }
}

/** Each page is loaded once, in the one scheme or the other, and seen in both, in each width. */
async function lookAtAll(browser, origin) {
  const guide = pages.filter((each) => /^\/guide\/\w/.test(each));
  const page = await browser.newPage();
  watch(page, origin);
  let scheme = 'light';
  for (const path of ['/index.html', '/guide/index.html', '/api/index.html', ...guide]) {
    await open(page, origin + path);
    await lookAt(page, path, scheme);
    scheme = scheme === 'light' ? 'dark' : 'light';
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForFunction(hasScheme, scheme);
    await lookAt(page, path, scheme);
  }
  await page.close();
}

async function lookAt(page, path, colorScheme) {
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 900 });
    const what = `${path}, ${colorScheme}, ${width} px`;
    const wide = await widthBeyond(page);
    if (wide > 0) problems.push(`${what}: ${wide} px wider than the window`);
    const contrast = await leastContrastOf(page, 'main p, main h1, main h2, main li, main td');
    if (contrast < leastContrast) problems.push(`${what}: contrast of its text ${contrast.toFixed(2)}`);
    await picture(page, `${path.replaceAll('/', '_').replace('.html', '').slice(1)}-${colorScheme}-${width}`);
  }
}

/** The page is there, its fonts are, and what it does by itself has begun. */
async function open(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => document.querySelector('#app')?.__vue_app__ !== undefined);
  await page.evaluate(() => document.fonts.ready.then(() => true));
}

/** Runs in the page. */
function hasScheme(scheme) {
  return document.documentElement.classList.contains('dark') === (scheme === 'dark');
}

async function picture(page, name) {
  if (wantsPictures) await page.screenshot({ path: join(pictures, `${name}.png`) });
}

async function search(browser, origin) {
  const page = await browser.newPage();
  watch(page, origin);
  await open(page, `${origin}/guide/index.html`);
  await page.locator('#local-search button').click();
  for (const words of asked) {
    const found = await results(page, words, page.locator('.result', { hasText: words }));
    if (!found.isThere) problems.push(`the search finds no ${words}`);
    await picture(page, `search-${words}`);
  }
  for (const question of questions) await answered(page, question);
  await page.close();
}

/** @returns where the search leads, best first, once it has found what it should */
async function results(page, words, wanted) {
  const input = page.locator('.search-input');
  // What was found for the words before is gone first.
  await input.fill('');
  await page.waitForFunction(() => document.querySelector('.result') === null);
  await input.fill(words);
  const isThere = await wanted
    .first()
    .waitFor({ timeout: 15_000 })
    .then(
      () => true,
      () => false,
    );
  const all = page.locator('.result');
  return { isThere, hrefs: await all.evaluateAll((found) => found.map((each) => each.getAttribute('href'))) };
}

/** The search alone leads from a user's words to the page that answers them: it is among the first results. */
async function answered(page, { ask, page: name, says }) {
  const path = `/guide/${name}.html`;
  const { hrefs } = await results(page, ask, page.locator(`.result[href*="${path}"]`));
  const place = hrefs.findIndex((href) => href.includes(path)) + 1;
  if (place === 0 || place > firstResults) {
    problems.push(
      `"${ask}" finds ${path} at place ${place} of ${hrefs.length}, behind ${hrefs.slice(0, 3).join(', ')}`,
    );
    return;
  }
  const text = await page.evaluate(textOf, path);
  if (!text.includes(says)) problems.push(`"${ask}": ${path} doesn't say "${says}"`);
}

/** Runs in the page. @returns what another page says */
async function textOf(path) {
  const html = await (await fetch(path)).text();
  const main = new DOMParser().parseFromString(html, 'text/html').querySelector('main');
  return (main?.textContent ?? '').replaceAll(/\s+/g, ' ');
}

/** Nothing is asked of anybody else, and nothing goes wrong on the page. */
function watch(page, origin) {
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(origin) && !url.startsWith('data:')) problems.push(`${page.url()} asks for ${url}`);
  });
  page.on('pageerror', (error) => problems.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`${page.url()}: ${message.text()}`);
  });
}

function serve({ url }, response) {
  const { pathname } = new URL(url, 'http://site');
  const path = join(site, decodeURI(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
  if (relative(site, path).startsWith('..') || !existsSync(path) || statSync(path).isDirectory()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[extname(path)] ?? 'application/octet-stream' });
  createReadStream(path).pipe(response);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
