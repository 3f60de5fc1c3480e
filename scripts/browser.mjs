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
