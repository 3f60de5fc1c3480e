import { readFile } from 'node:fs/promises';

/** A program that the README shows: its files, and what it prints. */
export interface ReadmeProgram {
  /** The heading above it. */
  readonly title: string;
  /** Source text by file name. */
  readonly files: ReadonlyMap<string, string>;
  readonly output: string;
}

/**
 * Reads the programs out of a Markdown file: under one heading, each `ts` block whose first line is a comment with a
 * file name is a file, and the `text` block behind them is what `main.ts` prints.
 */
export async function readmePrograms(path: string | URL): Promise<ReadmeProgram[]> {
  const markdown = await readFile(path, 'utf8');
  return markdown
    .split(/^#+ /m)
    .slice(1)
    .map(parseSection)
    .filter(({ files }) => files.size > 0);
}

function parseSection(section: string): ReadmeProgram {
  const title = section.slice(0, section.indexOf('\n')).trim();
  const files = new Map<string, string>();
  let output = '';
  for (const [, language = '', code = ''] of section.matchAll(/^```(\w+)\n(.*?)^```$/gms)) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
    if (language === 'ts' && name !== undefined) files.set(name, code);
    if (language === 'text' && files.size > 0) output = code;
  }
  return { title, files, output };
}
