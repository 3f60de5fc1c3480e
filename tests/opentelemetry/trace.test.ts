import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { traceThreadbus } from '@threadbus/opentelemetry';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { thrown } from '../helpers/thrown.ts';

interface SpanRecord {
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  readonly thread: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly string[];
}

/** Runs the program with the instrumentation loaded ahead, as its users do. */
async function spansOf(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<SpanRecord[]> {
  const file = join(tempFolder(), 'spans');
  writeFileSync(file, '');
  const path = (name: string): string => fileURLToPath(fixtureUrl(`opentelemetry/${name}`));
  const child = spawn(
    process.execPath,
    ['--import', fixtureUrl('opentelemetry/instrumentation').href, path('traced-program'), ...args],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...env, SPAN_FILE: file },
    },
  );
  expect(await once(child, 'close')).toEqual([0, null]);
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as SpanRecord);
}

/** The spans as a tree, children by name; a thread is main or not. */
function treeOf(spans: readonly SpanRecord[]): string[] {
  const below = (parent: string | null, depth: number): string[] =>
    spans
      .filter(({ parentId }) => parentId === parent)
      .map((span) => [text(span, depth), ...below(span.spanId, depth + 1)])
      .sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))
      .flat();
  return below(null, 0);
}

function text({ name, kind, status, thread, attributes, links }: SpanRecord, depth: number): string {
  const failure = status === 'ERROR' ? ` ERROR ${String(attributes['error.type'])}` : '';
  const link = links.length > 0 ? ' linked' : '';
  return `${'  '.repeat(depth)}${name} ${kind}${thread === 0 ? '' : ' in a thread'}${failure}${link}`;
}

test('trace - one request is one trace over main, pool and worker bus; what handlers make nests in their spans', async () => {
  const spans = await spansOf();
  expect(treeOf(spans)).toEqual([
    'GET / INTERNAL',
    '  send Fails PRODUCER',
    '    process Fails CONSUMER ERROR RangeError',
    '  send Late PRODUCER',
    '    process Late CONSUMER ERROR ERR_HANDLER_TIMEOUT',
    '  send Start PRODUCER',
    '    process Start CONSUMER',
    '      http after INTERNAL',
    '      http before INTERNAL',
    '      in ignored INTERNAL',
    '      send Crunch PRODUCER',
    '        process Crunch INTERNAL',
    '          process Crunch CONSUMER in a thread',
    '            http in pool INTERNAL in a thread',
    '      send Found PRODUCER',
    '        process Found CONSUMER in a thread',
    '          pg query INTERNAL in a thread',
    '          send Stored PRODUCER in a thread',
    '            process Stored CONSUMER',
    '              fs write INTERNAL',
    'send Detached PRODUCER linked',
    '  process Detached CONSUMER',
    'send Tick PRODUCER linked',
    '  process Tick CONSUMER',
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(3);
  const found = spans.find(({ name }) => name === 'process Found');
  expect(found?.attributes).toMatchObject({
    'messaging.system': 'threadbus',
    'messaging.operation.name': 'process',
    'messaging.destination.name': 'Found',
    'threadbus.bus.name': 'Index',
    'threadbus.handler.name': 'indexFile',
  });
});

test('trace - with a batching exporter nothing of the threads is lost at their stop', async () => {
  const [simple, batched] = await Promise.all([spansOf(), spansOf([], { PROCESSOR: 'batch' })]);
  expect(treeOf(batched)).toEqual(treeOf(simple));
});

test('trace - a thread that is killed takes its own span along; the trace still says what happened', async () => {
  const tree = treeOf(await spansOf(['kill']));
  expect(tree).toContain('  send Blocks PRODUCER');
  expect(tree.join('\n')).not.toContain('process Blocks');
});

test("trace - spans: 'process' leaves the dispatches out", async () => {
  const tree = treeOf(await spansOf([], { SPANS: 'process' }));
  expect(tree.filter((line) => line.includes('send '))).toEqual([]);
  expect(tree).toContain('    process Found CONSUMER in a thread');
  expect(tree).toContain('process Tick CONSUMER linked');
});

test('trace - options that make no sense, and a second call, are refused', () => {
  expect(thrown(() => traceThreadbus({ span: 'all' } as never)).message).toContain("no option 'span'");
  expect(thrown(() => traceThreadbus({ spans: 'some' } as never)).message).toContain(
    "Expected spans to be 'all' or 'process'",
  );
  expect(thrown(() => traceThreadbus({ ignore: 1 } as never)).message).toContain('Expected ignore');
  using _first = traceThreadbus();
  expect(thrown(() => traceThreadbus()).message).toContain('traced already');
});
