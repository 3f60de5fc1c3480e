import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** The first line that the compiler prints for a mistake is what most people read: it has to say what to do. */
const mistakes = {
  'an instance in place of its class': {
    code: 'bus.on(new Add({ a: 1 }), () => 1);',
    says: "the event's class, such as UserCreated, not one of its events",
  },
  'an instance in place of its class, expected': {
    code: 'void bus.expect(new Add({ a: 1 }));',
    says: "the event's class, such as UserCreated, not one of its events",
  },
  'a class in place of an event': {
    code: 'bus.dispatch(Add);',
    says: 'an event, such as new UserCreated({ … }): no class',
  },
  'a plain object': {
    code: 'bus.dispatch({ a: 1 });',
    says: 'an event, such as new UserCreated({ … }): no class, no plain object',
  },
  'what was dispatched already': {
    code: 'bus.dispatch(bus.dispatch(new Add({ a: 1 })));',
    says: 'nothing that was dispatched',
  },
  'a class as the event of a handler that is registered by name': {
    code: "bus.on('Add', (event: Add) => event.a);",
    says: "give the class in place of its type's name, as in on(UserCreated, …)",
  },
  'a wrong result': {
    code: "bus.on(Add, () => 'one');",
    says: "Type 'string' is not assignable to type 'HandlerReturn<number>'",
  },
  'a wrong result of an async function': {
    code: "bus.on(Add, async () => 'one');",
    says: "Type 'Promise<string>' is not assignable to type 'HandlerReturn<number>'",
  },
  'a wrong field': {
    code: 'new Add({ b: 1 });',
    says: "'b' does not exist in type '{ a: number; }'",
  },
  'a field of an event that is not awaited': {
    code: 'console.log(bus.dispatch(new Add({ a: 1 })).a);',
    says: "does not exist on type 'Dispatch<Add>'",
  },
  'a result in place of its event': {
    code: 'const sum: number = await bus.dispatch(new Add({ a: 1 })); console.log(sum);',
    says: "Type 'Add' is not assignable to type 'number'",
  },
  'a pool handler with another result': {
    code: "bus.on(Add, pool.handler<string>('./add.js'));",
    says: "Argument of type 'PoolHandler<string, BaseEvent<unknown, unknown>>' is not assignable to parameter of type 'Handler<Add>'",
  },
  'a pool handler of a module with another event': {
    code: 'bus.on(Add, pool.handler<{ default: (event: Other) => number }>("./add.js"));',
    says: "Argument of type 'PoolHandler<number, Other>' is not assignable to parameter of type 'Handler<Add>'",
  },
  'a pool handler of a module whose default export is none': {
    code: 'bus.on(Other, pool.handler<{ default: { run: (event: Other) => void } }>("./add.js"));',
    says: 'a module whose default export is a handler: (event, context) => result',
  },
  'a pool handler by the type of its function': {
    code: 'bus.on(Other, pool.handler<(event: Other) => void>("./add.js"));',
    says: "the type of the handler's module, as in handler<typeof import('./resize.js')>(url)",
  },
  'a class on a bus in a thread': {
    code: 'worker.dispatch(Add);',
    says: 'an event, such as new UserCreated({ … }): no class',
  },
} as const;

const head = `import { BaseEvent, EventBus } from '@threadbus/core';
import { HandlerPool, type WorkerBus } from '@threadbus/worker';
import { z } from 'zod';
class Add extends BaseEvent.extend('Add', { a: z.number() }, { result: z.number() }) {}
class Other extends BaseEvent.extend('Other', { text: z.string() }) {}
declare const bus: EventBus;
declare const worker: WorkerBus;
declare const pool: HandlerPool;
void [Add, Other, bus, worker, pool, EventBus, HandlerPool];
`;
const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'tests', 'fixtures-dist', 'mistakes');
const names = Object.keys(mistakes) as (keyof typeof mistakes)[];
let printed = '';

beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  names.forEach((name, at) => writeFileSync(join(folder, `m${at}.ts`), `${head}${mistakes[name].code}\n`));
  const options = { noEmit: true, incremental: false, composite: false, isolatedDeclarations: false, rootDir: root };
  const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions: options, include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  printed = await new Promise((resolve) => {
    execFile(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], (_error, stdout) => resolve(stdout));
  });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(names.map((name, at) => [name, at] as const))('mistakes - %s: the first line says what to do', (name, at) => {
  const lines = printed.split('\n').filter((line) => line.includes(`m${at}.ts(`));
  expect(lines[0]).toContain(mistakes[name].says);
  expect(lines).toHaveLength(1);
});
