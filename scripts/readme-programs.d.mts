/** A program that a Markdown file shows. */
export interface ReadmeProgram {
  /** The heading above it. */
  readonly title: string;
  readonly language: 'js' | 'ts';
  /** Source text by file name; `main.js` or `main.ts` is run. */
  readonly files: Readonly<Record<string, string>>;
  /** All that it prints, or null if only `lines` are said. */
  readonly output: string | null;
  /** Lines that it prints in this order, among others: what stands behind `//=>`. */
  readonly lines: readonly string[];
}

export declare function readmePrograms(path: string | URL): Promise<ReadmeProgram[]>;
export declare function readmeCommands(path: string | URL, heading: string): Promise<string[][]>;
