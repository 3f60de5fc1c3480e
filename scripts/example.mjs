// Runs one of the examples: `npm run example -- <name> [arguments]`.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const examples = join(dirname(dirname(fileURLToPath(import.meta.url))), 'examples');
const [name, ...args] = process.argv.slice(2);
const names = readdirSync(examples).filter((folder) => existsSync(join(examples, folder, 'main.ts')));

if (names.includes(name)) {
  const program = join(examples, 'dist', name, 'main.js');
  const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
  // Ctrl-C reaches both: the example decides what becomes of it.
  process.on('SIGINT', () => undefined);
  child.once('close', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
} else {
  console.error(
    `Expected the name of an example${name === undefined ? '' : `, got \`${name}\``}. There are: ${names.join(', ')}. Usage: npm run example -- ${names[0]}`,
  );
  process.exitCode = 2;
}
