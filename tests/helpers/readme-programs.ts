import { readFile } from 'node:fs/promises';

/** A program that the README shows: its files, and what it prints. */
export interface ReadmeProgram {
  /** The heading above it. */
  readonly title: string;
  /** Source text by file name; `main.ts` is run. */
  readonly files: ReadonlyMap<string, string>;
  /** All that it prints, or null if only `lines` are said. */
  readonly output: string | null;
  /** Lines that it prints in this order, among others: what stands behind `//=>`. */
  readonly lines: readonly string[];
}

interface Block {
  readonly language: string;
  readonly code: string;
}

/**
 * Reads the programs out of a Markdown file.
 *
 * Under one heading, `ts` blocks whose first line is a comment with a file name are the files of one program, and the
 * `text` block behind them is what it prints. Another `ts` block that starts with an import is a program by itself.
 * Blocks without imports are fragments, and not run.
 */
export async function readmePrograms(path: string | URL): Promise<ReadmeProgram[]> {
  const markdown = await readFile(path, 'utf8');
  return markdown
    .split(/^#+ /m)
    .slice(1)
    .flatMap((section) => programsOf(section));
}

function programsOf(section: string): ReadmeProgram[] {
  const title = section.slice(0, section.indexOf('\n')).trim();
  const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']): Block => ({
    language,
    code,
  }));
  const files = new Map<string, string>();
  for (const { language, code } of blocks) {
    const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
    if (language === 'ts' && name !== undefined) files.set(name, code);
  }
  const output = blocks.find(({ language }) => language === 'text')?.code ?? null;
  const single = blocks
    .filter(({ language, code }) => language === 'ts' && code.startsWith('import '))
    .map(({ code }) => ({ title, files: new Map([['main.ts', code]]), output: null, lines: expectedLines(code) }));
  return files.size === 0 ? single : [{ title, files, output, lines: [] }, ...single];
}

function expectedLines(code: string): string[] {
  return [...code.matchAll(/\/\/=> (.*)$/gm)].map(([, line = '']) => line);
}
