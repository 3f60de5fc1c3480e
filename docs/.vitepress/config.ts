import { existsSync, readFileSync } from 'node:fs';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { guide } from '../guide/contents.ts';

/** Written by TypeDoc beside the pages of the API reference. */
const apiSidebar = new URL('../api/typedoc-sidebar.json', import.meta.url);

function api(): DefaultTheme.SidebarItem[] {
  if (!existsSync(apiSidebar)) return [];
  return JSON.parse(readFileSync(apiSidebar, 'utf8')) as DefaultTheme.SidebarItem[];
}

function slugify(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s+/g, '-');
}

export default defineConfig({
  title: 'threadbus',
  description: 'A typed event bus for Node.js whose buses live in threads, processes and machines',
  cleanUrls: false,
  srcExclude: ['**/README.md'],
  outDir: '.vitepress/dist',
  cacheDir: '../node_modules/.cache/vitepress',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // As TypeDoc writes its links: what a name is made of stays.
  markdown: { anchor: { slugify } },
  // Nothing comes from elsewhere: the theme's fonts and the search index are built in.
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guide/' },
      { text: 'API', link: '/api/' },
    ],
    sidebar: {
      '/guide/': guide.map(({ title, pages }) => ({
        text: title,
        items: pages.map(({ name, text }) => ({ text, link: `/guide/${name}` })),
      })),
      '/api/': api(),
    },
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
  },
});
