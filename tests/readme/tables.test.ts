import { expect, test } from 'vitest';
import { type DocDeclaration, type DocModule, tableProblems, withTables } from '../../scripts/doc-tables.mjs';

const kind = { class: 128, interface: 256, property: 1024 };
const says = (text: string): NonNullable<DocDeclaration['comment']> => ({ summary: [{ text }] });
const property = (name: string, text: string, fallback: string): DocDeclaration => ({
  name,
  kind: kind.property,
  flags: { isOptional: true },
  comment: { ...says(text), blockTags: [{ tag: '@default', content: [{ text: fallback }] }] },
});
const error = (name: string, code: string): DocDeclaration => ({
  name,
  kind: kind.class,
  comment: says('The bus was stopped.'),
  children: [{ name: 'code', kind: kind.property, type: { value: code } }],
});
const options = [property('walMode', 'What is logged.', 'completed')];
const errors = [error('BusStoppedError', 'ERR_BUS_STOPPED')];
const empty = `# Page

<!-- options of @threadbus/core -->
<!-- end -->

<!-- errors of @threadbus/core -->
<!-- end -->
`;
const page = withTables(empty, [core()]);
const needs = ['@threadbus/core'];

test('tables - a page with the tables of the code has no problem', () => {
  expect(page).toContain('| `walMode` | completed | What is logged. |');
  expect(page).toContain('| `BusStoppedError` | `ERR_BUS_STOPPED` | The bus was stopped. |');
  expect(problemsOf(page, core())).toEqual([]);
});

test('tables - how the formatter aligns them is no matter', () => {
  expect(problemsOf(page.replace('| `walMode` | completed |', '| `walMode`  |  completed |'), core())).toEqual([]);
});

test('tables - an option that was added without its row is found', () => {
  const more = [...options, property('walSync', 'Whether.', 'false')];
  expect(problemsOf(page, core({ options: more }))).toEqual([expect.stringContaining('`walSync`')]);
});

test('tables - an option that is gone, and a default that has changed, are found', () => {
  expect(problemsOf(page, core({ options: [] }))).toHaveLength(1);
  expect(problemsOf(page, core({ options: [property('walMode', 'What is logged.', 'ahead')] }))).toHaveLength(1);
});

test('tables - an error that was added without its row is found', () => {
  const more = [...errors, error('LateError', 'ERR_LATE')];
  expect(problemsOf(page, core({ errors: more }))).toEqual([expect.stringContaining('ERR_LATE')]);
});

test('tables - a page without the block of its package is found', () => {
  expect(problemsOf('# Page\n', core())).toEqual([
    'README.md: expected <!-- options of @threadbus/core --> <!-- end -->',
    'README.md: expected <!-- errors of @threadbus/core --> <!-- end -->',
  ]);
});

function problemsOf(text: string, module: DocModule): string[] {
  return tableProblems([{ path: 'README.md', text, needs }], [module]);
}

function core(own: { options?: DocDeclaration[]; errors?: DocDeclaration[] } = {}): DocModule {
  const bus = { name: 'EventBusOptions', kind: kind.interface, comment: says('Options of a bus.') };
  return {
    name: '@threadbus/core',
    children: [{ ...bus, children: own.options ?? options }, ...(own.errors ?? errors)],
  };
}
