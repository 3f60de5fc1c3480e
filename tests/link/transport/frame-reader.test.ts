import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, headerSize, writeHeader } from '../../../packages/link/dist/transport/frame-reader.js';

function framed(body: Uint8Array): Buffer {
  const header = Buffer.alloc(headerSize);
  writeHeader(header, body.length);
  return Buffer.concat([header, body]);
}

test('frame reader - frames cut anywhere come whole, also if the memory of a chunk is used again', () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 12 });
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(bodies, sizes, fc.boolean(), (frames, chunkSizes, again) => {
      const stream = Buffer.concat(frames.map(framed));
      const memory = Buffer.alloc(90);
      const reader = new FrameReader();
      const got: number[][] = [];
      for (let at = 0, i = 0; at < stream.length; i += 1) {
        const size = chunkSizes[i % chunkSizes.length] as number;
        const part = stream.subarray(at, at + size);
        at += part.length;
        part.copy(memory);
        reader.push(again ? memory.subarray(0, part.length) : part);
        for (let frame = reader.next(); frame !== null; frame = reader.next()) got.push([...frame]);
        if (again) reader.keep();
      }
      expect(got).toEqual(frames.map((frame) => [...frame]));
    }),
    { numRuns: 2000 },
  );
});
