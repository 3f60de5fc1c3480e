// Generates the API reference into docs/api from the docstrings, and checks that they leave nothing out:
// every public name has a sentence; options have their default, durations their unit; functions and methods of classes
// say which errors they throw, and show an example. `npm run check:docs`; one line on stderr for everything that is missing.
// The tables of options and errors in the READMEs and the guide are compared too; with `--fix` they are written.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchRowProblems, withBenchRows } from './bench-rows.mjs';
import { tableProblems, withTables } from './doc-tables.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Where figures are written. */
const benchmarks = 'docs/guide/benchmarks.md';
const model = join(root, 'node_modules', '.cache', 'docs', 'api.json');

/** What typedoc calls the kinds of declarations. */
const kind = { class: 128, interface: 256, constructor: 512, property: 1024, method: 2048, accessor: 262144 };
const functionKind = 64;

const guard = /^is[A-Z]\w*Error$/;
/** An error's own constructor is for those who throw it: threadbus does. */
const errorClass = /Error$/;
const options = /(?:Options|Fields)$/;
const duration = /timeout|^wait$|^past$|^future$/i;

/** Fail never, or with what they are handed: nothing to say of errors. */
const neverThrows = new Set(
  `BaseEvent.eventReset BaseEvent.toJSON BaseEvent.toString Dispatch.catch Dispatch.finally Dispatch.then
  EventBus.logTree EventBus.observe EventBus.stats EventBus.toString EventResult.then EventResult.toJSON EventResult.toString
  HandlerPool.stats HandlerPool.stop LinkedBus.close Linking.close Linking.then Semaphore.inspect registerPortableContext retryAttempts
  portTransport streamTransport`.split(/\s+/),
);
/** Shown by the example of the class or function that they belong to, or called by the language. */
const shownElsewhere = /\.(?:then|catch|finally|toString|toJSON|accept|observe|inspect|close)$/;

const built = spawnSync('npm', ['run', '--silent', 'build', '--workspace', 'docs'], {
  cwd: root,
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
if (built.status !== 0) fail(`typedoc failed:\n${built.stdout}${built.stderr}`);

const { children: modules } = JSON.parse(readFileSync(model, 'utf8'));
const names = modules.flatMap(({ children }) => children);
const problems = modules.flatMap(({ name, children }) =>
  children.flatMap((declaration) => problemsOf(declaration).map((problem) => `${name}: ${problem}`)),
);
if (problems.length > 0) fail(`${problems.join('\n')}\n${problems.length} docstrings are incomplete.`);
const shown = pagesWithTables();
if (process.argv.includes('--fix')) fix(shown);
else {
  const wrong = [...tableProblems(shown, modules), ...benchRowProblems(readText('README.md'), readText(benchmarks))];
  if (wrong.length > 0) fail(wrong.join('\n'));
}
console.log(`docs: ${names.length} public names in docs/api, all of them documented`);

/** Each package's README has its own; the guide has all. */
function pagesWithTables() {
  const readmes = modules.map(({ name }) => ({
    path: `packages/${name.replace('@threadbus/', '')}/README.md`,
    needs: [name],
  }));
  const all = modules.map(({ name }) => name);
  return [...readmes, { path: 'docs/guide/options.md', needs: all }].map(({ path, needs }) => ({
    path,
    needs,
    text: readText(path),
  }));
}

function fix(pages) {
  for (const { path, text } of pages) writeFileSync(join(root, path), withTables(text, modules));
  writeFileSync(join(root, 'README.md'), withBenchRows(readText('README.md'), readText(benchmarks)));
  spawnSync('npx', ['oxfmt', 'README.md', ...pages.map(({ path }) => path)], {
    cwd: root,
    shell: process.platform === 'win32',
  });
}

function readText(path) {
  return readFileSync(join(root, path), 'utf8');
}

function problemsOf(declaration) {
  if (declaration.kind === 4194304) return [];
  const { name, children = [] } = declaration;
  const found = [...sentence(name, declaration)];
  if (declaration.kind === kind.class) found.push(...wants(name, declaration, '@example'));
  if (declaration.kind === functionKind && !guard.test(name)) found.push(...called(name, declaration));
  for (const member of children) found.push(...memberProblems(declaration, member));
  return found;
}

function memberProblems(owner, member) {
  const name = `${owner.name}.${member.name}`;
  if (member.inheritedFrom !== undefined || member.name.startsWith('[')) return [];
  if (member.kind === kind.constructor) {
    return errorClass.test(owner.name) || constructorIsPlain(member) ? [] : sentence(`new ${owner.name}`, member);
  }
  const found = [...sentence(name, member)];
  if (member.kind === kind.method && owner.kind === kind.class) found.push(...called(name, member));
  if (member.flags.isOptional && options.test(owner.name)) found.push(...wants(name, member, '@default'));
  if (duration.test(member.name) && member.kind !== kind.method && !/\bseconds?\b/i.test(textOf(member))) {
    found.push(`${name}: expected its docstring to say that it is in seconds`);
  }
  return found;
}

/** What people call: its errors, and an example. */
function called(name, declaration) {
  const found = neverThrows.has(name) ? [] : wants(name, declaration, '@throws');
  return shownElsewhere.test(name) ? found : [...found, ...wants(name, declaration, '@example')];
}

function sentence(name, declaration) {
  return commentsOf(declaration).some(({ summary }) => summary.length > 0) ? [] : [`${name}: expected a sentence`];
}

function wants(name, declaration, tag) {
  const has = commentsOf(declaration).some(({ blockTags = [] }) => blockTags.some((block) => block.tag === tag));
  return has ? [] : [`${name}: expected ${tag}`];
}

/** Of the declaration itself, or of its signatures. */
function commentsOf({ comment, signatures = [], getSignature, type }) {
  const inner = type?.type === 'reflection' ? (type.declaration.signatures ?? []) : [];
  const all = [comment, getSignature?.comment, ...[...signatures, ...inner].map((signature) => signature.comment)];
  return all.filter((each) => each !== undefined);
}

function textOf(declaration) {
  return commentsOf(declaration)
    .flatMap(({ summary, blockTags = [] }) => [...summary, ...blockTags.flatMap(({ content }) => content)])
    .map(({ text }) => text)
    .join('');
}

function constructorIsPlain({ signatures }) {
  return signatures.every(({ parameters = [] }) => parameters.length === 0);
}

function fail(text) {
  console.error(text);
  process.exit(1);
}
