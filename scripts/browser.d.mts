import type { Browser, Page } from 'playwright-core';

export const browserPath: string | undefined;
export function launchBrowser(): Promise<Browser>;
export function leastContrastOf(page: Page, selector: string): Promise<number>;
export function widthBeyond(page: Page): Promise<number>;
