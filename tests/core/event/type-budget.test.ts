import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** How many types the compiler instantiates for so many classes, each extended again, handled, dispatched and asked. */
function instantiations(classes: number): number {
  const folder = join(root, 'node_modules', '.cache', `type-budget-${process.pid}-${classes}`);
  mkdirSync(folder, { recursive: true });
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = ["import { BaseEvent, EventBus } from '@threadbus/core';", "import { z } from 'zod';"];
  lines.push('const bus = new EventBus();');
  for (let i = 0; i < classes; i += 1) {
    lines.push(
      `class A${i} extends BaseEvent.extend('A${i}', { a${i}: z.string(), n: z.number().optional() }, { result: z.object({ r${i}: z.number() }) }) {}`,
      `class B${i} extends A${i}.extend('B${i}', { b${i}: z.array(z.string()) }) {}`,
      `bus.on(B${i}, (event) => ({ r${i}: event.a${i}.length + event.b${i}.length }));`,
      `export const result${i}: Promise<{ r${i}: number }> = bus.dispatch(new B${i}({ a${i}: '', b${i}: [] })).eventResult();`,
    );
  }
  writeFileSync(join(folder, 'generated.ts'), lines.join('\n'));
  const compilerOptions = {
    noEmit: true,
    composite: false,
    isolatedDeclarations: false,
    declaration: false,
    declarationMap: false,
  };
  const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, files: ['generated.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [compiler, '-p', folder, '--extendedDiagnostics'], {
    encoding: 'utf8',
  });
  expect(stdout).not.toContain('error TS');
  return Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1]);
}

test('type-budget - an extended class costs the compiler little, and each the same', { timeout: 60_000 }, () => {
  const [none, some, many] = [instantiations(1), instantiations(11), instantiations(51)] as const;
  const each = (many - none) / 50;
  expect(each).toBeGreaterThan(10);
  expect(each).toBeLessThan(10_000);
  expect(each).toBeLessThan(((some - none) / 10) * 1.2);
});
