// A headless Chromium of the system, for checks of what people see: the site of the documentation, the inspector's page.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where it is; undefined if there is none. On Debian: `apt-get install chromium`. */
export const browserPath = places.find((path) => path !== undefined && existsSync(path));

/** @returns a browser that asks nothing of anybody by itself */
export async function launchBrowser() {
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** The least contrast of the texts that a selector names against what is behind them, as WCAG 2 counts it. */
export async function leastContrastOf(page, selector) {
  return page.evaluate(contrastOfTexts, selector);
}

/** How many pixels the page is wider than its window. */
export async function widthBeyond(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** Runs in the page. */
function contrastOfTexts(selector) {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([r = 0, g = 0, b = 0]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let each = element; each !== null; each = each.parentElement) {
      const color = parse(getComputedStyle(each).backgroundColor);
      if (color[3] !== 0 && color.length > 0) return color;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll(selector)].filter(
    (element) => element.textContent.trim() !== '' && element.getClientRects().length > 0,
  );
  const ratios = texts.map((element) => {
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
  });
  return Math.min(21, ...ratios);
}
