import { describe, expect, it } from 'vitest';
import { KIB, MIB } from '../bytes.ts';
import { SizeClasses } from './size-classes.ts';

describe.each([1, 2, 4])('size classes of slabs of %i MB', (mb) => {
  const classes = new SizeClasses(mb * MIB);

  it('give every size the smallest class that holds it', () => {
    const sizes = classes.all.flatMap(({ cellBytes }) => [cellBytes - 1, cellBytes, cellBytes + 1]);
    for (const bytes of [0, 1, ...sizes]) {
      if (bytes > classes.largestBytes) continue;
      const { index, cellBytes } = classes.of(bytes);
      expect(cellBytes).toBeGreaterThanOrEqual(bytes);
      if (index > 0) expect(classes.all[index - 1]!.cellBytes).toBeLessThan(bytes);
    }
  });

  it('lose at most a fifth of a cell above 128 bytes, and a sixteenth of a span', () => {
    // The smallest block of a class loses most: it is one byte larger than the class before.
    for (const { index, cellBytes } of classes.all) {
      const bytes = (classes.all[index - 1]?.cellBytes ?? 0) + 1;
      if (bytes > 128) expect((cellBytes - bytes) / cellBytes).toBeLessThanOrEqual(0.2);
    }
    for (const { cellBytes, cellsPerSpan, spanChunks } of classes.all) {
      const spanBytes = spanChunks * classes.chunkBytes;
      expect(cellsPerSpan * cellBytes).toBeGreaterThanOrEqual(spanBytes * (15 / 16));
      expect(cellsPerSpan * cellBytes).toBeLessThanOrEqual(spanBytes);
    }
  });

  it('hold one chunk for a class of small blocks, and keep blocks at multiples of 16 bytes', () => {
    expect(classes.of(KIB).spanChunks).toBe(1);
    for (const { cellBytes } of classes.all) expect(cellBytes % 16).toBe(0);
  });
});
