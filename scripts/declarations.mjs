// Puts the declarations of a package's exports into one file each, as somebody who imports them sees them: what is
// `@internal` is taken out, and what only that needed goes with it. So a package ships no declaration of its inside, no
// editor offers one, and `@threadbus/*/internal`, by which the packages share code, has no types outside this project.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from '@typescript/typescript6';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

/**
 * Replaces all declarations in the folder by those of the exports.
 *
 * @param publicNames what the index of a sibling exports: `(sibling) => Set`
 */
export async function bundleDeclarations(folder, names, publicNames) {
  for (const file of declarationsIn(folder)) {
    if (!file.endsWith('.map')) writeFileSync(file, withoutInside(file, publicNames));
  }
  const bundle = await rollup({
    input: Object.fromEntries(names.map((name) => [name, join(folder, `${name}.d.ts`)])),
    // An import of nothing says nothing in a declaration.
    treeshake: { moduleSideEffects: false },
    external: (id) => /^(?:node:|@|zod)/.test(id),
    plugins: [dts({ sourcemap: true, compilerOptions: { skipLibCheck: true } })],
    onwarn: (warning) => {
      // As before: what isn't exported can't be named outside, whatever file it stands in.
      if (warning.code === 'EMPTY_BUNDLE' || warning.message.includes('TS2742')) return;
      // What was taken out was all that needed them.
      if (warning.code === 'UNUSED_EXTERNAL_IMPORT') return;
      throw new Error(`The declarations in ${folder} could not be put together: ${warning.message}`);
    },
  });
  // Beside the folder: the maps to the sources are read where they are while the new ones are made.
  const beside = `${folder}-declarations`;
  await bundle.write({ dir: beside, chunkFileNames: 'shared.d.ts', sourcemap: true, sourcemapExcludeSources: true });
  await bundle.close();
  for (const file of declarationsIn(folder)) rmSync(file);
  for (const file of declarationsIn(beside)) if (!file.endsWith('.map')) closeGaps(file);
  cpSync(beside, folder, { recursive: true });
  rmSync(beside, { recursive: true });
}

function declarationsIn(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.d\.ts(?:\.map)?$/.test(file));
  return files.map((file) => join(folder, file));
}

/** The file's text without what is `@internal`; every other character stays where it is, for the maps. */
function withoutInside(file, publicNames) {
  let text = readFileSync(file, 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const edits = [];
  const imported = new Set();

  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement)) continue;
    for (const { name } of statement.importClause?.namedBindings?.elements ?? []) imported.add(name.text);
    const [, sibling] = /^(@threadbus\/\w+)\/internal(?:\/\w+)?$/.exec(statement.moduleSpecifier.text) ?? [];
    if (sibling !== undefined) edits.push(...fromPublic(statement, sibling, publicNames(sibling)));
  }
  visit(source);
  for (const { from, to, by = '' } of edits.toSorted((a, b) => b.from - a.from)) {
    const breaks = text.slice(from, to).replaceAll(/[^\n]/g, '');
    text = text.slice(0, from) + by + breaks + text.slice(to);
  }
  return text;

  function visit(node) {
    if (isInternal(node)) {
      // A class that only this project makes can still be extended by another of its packages' declarations.
      const isOnlyWay = ts.isConstructorDeclaration(node) && node.parent.members.every(isNoOtherConstructor);
      const by = isOnlyWay ? ' protected constructor(...inside: never[]);' : '';
      if (ts.isClassElement(node) || ts.isTypeElement(node)) {
        edits.push({ from: node.getFullStart(), to: node.end, by });
        return;
      }
    }
    // Types compare by their shape: what a class says it implements tells a user nothing but the language's own.
    if (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ImplementsKeyword) {
      const own = node.types.filter(({ expression }) => !isOurs(expression.getText()));
      const by = own.length === 0 ? '' : ` implements ${own.map((type) => type.getText()).join(', ')}`;
      edits.push({ from: node.getFullStart(), to: node.end, by });
      return;
    }
    ts.forEachChild(node, visit);
  }

  function isOurs(name) {
    return (
      imported.has(name) || new RegExp(`^(?:export )?(?:declare )?(?:interface|class|type) ${name}\\b`, 'm').test(text)
    );
  }
}

/** An import by a sibling's public name where it has one. */
function fromPublic(statement, sibling, names) {
  const all = statement.importClause.namedBindings.elements;
  const some = (isPublic) =>
    all.filter(({ propertyName, name }) => names.has((propertyName ?? name).text) === isPublic);
  const line = (elements, from) =>
    elements.length === 0 ? '' : `import { ${elements.map((each) => each.getText()).join(', ')} } from '${from}';`;
  const by = line(some(true), sibling) + line(some(false), `${sibling}/internal`);
  return [{ from: statement.getStart(), to: statement.end, by }];
}

function isNoOtherConstructor(member) {
  return !ts.isConstructorDeclaration(member) || isInternal(member);
}

function isInternal(node) {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal');
}

/** Takes out the empty lines that are left of what was taken out, and their part of the map, which is as empty. */
function closeGaps(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const map = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
  const mappings = map.mappings.split(';');
  const kept = lines.map((_, i) => i).filter((i) => lines[i].trim() !== '' || mappings[i] || i === lines.length - 1);
  writeFileSync(file, kept.map((i) => lines[i]).join('\n'));
  writeFileSync(`${file}.map`, JSON.stringify({ ...map, mappings: kept.map((i) => mappings[i] ?? '').join(';') }));
}
