// Looks at the site of the documentation as readers do, in a headless Chromium: `npm run check:site`, after `npm run docs`.
// Every internal link and anchor resolves, nothing comes from elsewhere, search finds what it is asked for, both colour
// schemes can be read, and nothing is wider than a phone. What users ask (site-questions.mjs) is found by the search alone;
// `npm run check:site -- --questions` asks only. Screenshots go to node_modules/.cache/site.
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
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
  for (const [page, text] of html) {
    for (const [, href] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      if (/^(?:https?:|mailto:)/.test(href)) continue;
      const { pathname, hash } = new URL(href, `http://site${page}`);
      const target = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
      const found = html.get(decodeURI(target));
      if (found === undefined) {
        if (!existsSync(join(site, target))) problems.push(`${page}: the link ${href} leads nowhere`);
      } else if (hash.length > 1 && !found.includes(`id="${decodeURIComponent(hash.slice(1))}"`)) {
        problems.push(`${page}: nothing on ${target} has the id of ${href}`);
      }
    }
  }
}

async function look() {
  mkdirSync(pictures, { recursive: true });
  const server = createServer(serve);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const browser = await launchBrowser();
  try {
    // At once: most of a page's time is the wait until nothing is loaded any more.
    const schemes = process.argv.includes('--questions') ? [] : ['light', 'dark'];
    const looks = schemes.flatMap((scheme) => [1280, 400].map((width) => [scheme, width]));
    await Promise.all(looks.map(([scheme, width]) => lookAt(browser, origin, scheme, width)));
    await search(browser, origin);
  } finally {
    await browser.close();
    server.close();
  }
}

async function lookAt(browser, origin, colorScheme, width) {
  const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
  const page = await context.newPage();
  watch(page, origin);
  for (const path of [
    '/index.html',
    '/guide/index.html',
    '/api/index.html',
    ...pages.filter((each) => /^\/guide\/\w/.test(each)),
  ]) {
    await page.goto(origin + path, { waitUntil: 'networkidle' });
    const what = `${path}, ${colorScheme}, ${width} px`;
    const wide = await widthBeyond(page);
    if (wide > 0) problems.push(`${what}: ${wide} px wider than the window`);
    const contrast = await leastContrastOf(page, 'main p, main h1, main h2, main li, main td');
    if (contrast < leastContrast) problems.push(`${what}: contrast of its text ${contrast.toFixed(2)}`);
    const name = path.replaceAll('/', '_').replace('.html', '').slice(1);
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}-${width}.png`) });
  }
  await context.close();
}

async function search(browser, origin) {
  const page = await browser.newPage();
  watch(page, origin);
  await page.goto(`${origin}/guide/index.html`, { waitUntil: 'networkidle' });
  for (const words of asked) {
    await page.locator('#local-search button').click();
    await page.locator('.search-input').fill(words);
    const found = page.locator('.result', { hasText: words }).first();
    await found.waitFor({ timeout: 15_000 }).catch(() => problems.push(`the search finds no ${words}`));
    await page.screenshot({ path: join(pictures, `search-${words}.png`) });
    await page.keyboard.press('Escape');
  }
  for (const question of questions) await answered(page, origin, question);
  await page.close();
}

/** The search alone leads from a user's words to the page that answers them: it is among the first results. */
async function answered(page, origin, { ask, page: name, says }) {
  const path = `/guide/${name}.html`;
  await page.goto(`${origin}/guide/index.html`, { waitUntil: 'networkidle' });
  await page.locator('#local-search button').click();
  await page.locator('.search-input').fill(ask);
  const found = page.locator(`.result[href*="${path}"]`).first();
  const isThere = await found.waitFor({ timeout: 15_000 }).then(
    () => true,
    () => false,
  );
  const all = await page
    .locator('.result')
    .evaluateAll((results) => results.map((result) => result.getAttribute('href')));
  const place = all.findIndex((href) => href.includes(path)) + 1;
  if (!isThere || place > firstResults) {
    problems.push(`"${ask}" finds ${path} at place ${place} of ${all.length}, behind ${all.slice(0, 3).join(', ')}`);
    return;
  }
  await page.goto(origin + path, { waitUntil: 'networkidle' });
  const text = (await page.locator('main').innerText()).replaceAll(/\s+/g, ' ');
  if (!text.includes(says)) problems.push(`"${ask}": ${path} doesn't say "${says}"`);
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
