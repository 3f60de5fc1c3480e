// Reads the programs out of a Markdown file: for the tests, and for the check of the packages as they are installed.
import { readFile } from 'node:fs/promises';

/**
 * Under one heading, `js` or `ts` blocks whose first line is a comment with a file name are the files of one program,
 * and the `text` block behind them is what it prints. Another block that starts with an import is a program by itself,
 * which prints what stands behind `//=>`, among other things.
 */
export async function readmePrograms(path) {
  const markdown = await readFile(path, 'utf8');
  return markdown
    .split(/^#+ /m)
    .slice(1)
    .flatMap((section) => programsOf(section));
}

/** The commands in the `sh` block under a heading, without their comments. */
export async function readmeCommands(path, heading) {
  const markdown = await readFile(path, 'utf8');
  const section = markdown.split(/^#+ /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
  return blocksOf(section)
    .filter(({ language }) => language === 'sh')
    .map(({ code }) => code.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim()))
    .map((lines) => lines.filter((line) => line !== ''));
}

function blocksOf(section) {
  const blocks = section.matchAll(/^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].map(([, language, code]) => ({ language, code }));
}

function programsOf(section) {
  const title = section.slice(0, section.indexOf('\n')).trim();
  const blocks = blocksOf(section);
  const code = blocks.filter(({ language }) => language === 'js' || language === 'ts');
  const named = code.map((block) => ({ ...block, name: /^\/\/ (\S+\.[jt]s)\n/.exec(block.code)?.[1] }));
  const files = named.filter(({ name }) => name !== undefined);
  const single = named.filter(({ name }) => name === undefined);
  const output = blocks.find(({ language }) => language === 'text')?.code ?? null;
  const programs = single.map(({ language, code: text }) => ({
    title,
    language,
    files: { [`main.${language}`]: text },
    output: null,
    lines: expectedLines(text),
  }));
  if (files.length === 0) return programs;
  const together = Object.fromEntries(files.map(({ name, code: text }) => [name, text]));
  return [{ title, language: files[0].language, files: together, output, lines: [] }, ...programs];
}

function expectedLines(code) {
  return [...code.matchAll(/\/\/=> (.*)$/gm)].map(([, line]) => line);
}
