import { readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import type { StuckFrame } from '@threadbus/core';
import type { Call, Script } from './thread-inspector.ts';

/** Where the calls are, through source maps as far as they can be read. */
export async function sourcePositions(calls: readonly Call[]): Promise<StuckFrame[]> {
  const maps = new Map<Script, Promise<SourceMap | null>>();
  return Promise.all(
    calls.map(async (call) => {
      let map = maps.get(call.script);
      if (map === undefined) maps.set(call.script, (map = sourceMap(call.script)));
      return mapped(call, await map);
    }),
  );
}

/** As the file itself has it. */
export function filePosition({ functionName, script, line, column }: Call): StuckFrame {
  return { functionName: functionName || '<anonymous>', url: script.url, line: line + 1, column: column + 1 };
}

function mapped(call: Call, map: SourceMap | null): StuckFrame {
  const position = filePosition(call);
  if (map === null) return position;
  try {
    const entry = map.findEntry(call.line, call.column);
    if (!('originalSource' in entry) || entry.originalSource === undefined) return position;
    const url = new URL(entry.originalSource, call.script.url).href;
    return { ...position, url, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  } catch {
    return position;
  }
}

async function sourceMap({ url, sourceMapUrl }: Script): Promise<SourceMap | null> {
  if (sourceMapUrl === '') return null;
  try {
    const at = new URL(sourceMapUrl, url);
    const payload = JSON.parse(await textOf(at)) as SourceMapPayload;
    // Node takes sources as they stand, which is from the map on.
    const root = new URL(payload.sourceRoot || '.', at.protocol === 'file:' ? at : url);
    const sources = payload.sources.map((source) => new URL(source, root).href);
    return new SourceMap({ ...payload, sourceRoot: '', sources });
  } catch {
    // There is none any more, or it is none.
    return null;
  }
}

async function textOf(url: URL): Promise<string> {
  if (url.protocol === 'file:') return readFile(url, 'utf8');
  const data = await fetch(url);
  return data.text();
}
