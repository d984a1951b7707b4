/**
 * Checks the inside of a slab allocator against the truth: what its statistics and short cuts say is counted again from its
 * slabs, spans and rows.
 */
import { invariant } from '../base/assert.ts';
import type { SlabHandle } from '../base/slabs/block-table.ts';
import { CHUNKS_PER_SLAB } from '../base/slabs/size-classes.ts';
import { NO_SLOT, type Slab, type Span } from '../base/slabs/slab.ts';
import type { SlabAllocator } from '../base/slabs/slab-allocator.ts';

interface Counted {
  blocks: number;
  liveBytes: number;
  cellBytes: number;
}

/**
 * Throws `InvariantError` unless the structure is whole: no two blocks overlap, every row leads to its block and back, lists hold what they
 * should, and the figures equal what is counted.
 */
export function validateSlabs(allocator: SlabAllocator, handles?: Iterable<SlabHandle>): void {
  const { heap, table } = allocator.parts;
  const told = allocator.statistics();
  const total: Counted = { blocks: 0, liveBytes: 0, cellBytes: 0 };
  const seen = new Set<number>();
  const liveByClass = heap.classes.all.map(() => 0);
  let largeBlockBytes = 0;
  for (const slab of [...heap.slabs, ...heap.dedicated]) {
    const counted = countSlab(slab);
    total.cellBytes += counted;
    if (slab.isDedicated) largeBlockBytes += slab.sizeBytes;
  }
  for (const [index, list] of heap.partial.entries()) {
    for (const [place, span] of list.entries()) {
      invariant(span.sizeClass.index === index && span.place === place, 'A span stands in the wrong place.');
      invariant(span.freeCount > 0 && span.liveCount > 0, 'A full or empty span is listed as having both.');
      invariant(!span.slab.isDraining && heap.slabs.has(span.slab), 'A span of a slab that takes nothing is listed.');
    }
  }
  let neededChunks = 0;
  for (const sizeClass of heap.classes.all) {
    neededChunks += Math.ceil(liveByClass[sizeClass.index]! / sizeClass.cellsPerSpan) * sizeClass.spanChunks;
  }
  equal('needed chunks', heap.neededChunks, neededChunks);
  equal('blocks', told.blocks, total.blocks);
  equal('live bytes', told.liveBytes, total.liveBytes);
  equal('cell bytes', heap.cellBytes, total.cellBytes);
  equal('large block bytes', told.largeBlockBytes, largeBlockBytes);
  const slabBytes = heap.slabs.size * heap.slabBytes + largeBlockBytes;
  equal('reserved bytes', told.reservedBytes, slabBytes + table.bytes);
  equal(
    'parts of reserved',
    told.liveBytes + told.roundingBytes + told.holeBytes + told.tableBytes,
    told.reservedBytes,
  );
  equal('empty slabs', told.emptySlabs, [...heap.slabs].filter((slab) => slab.spans.size === 0).length);
  if (handles === undefined) return;
  let known = 0;
  for (const handle of handles) {
    known++;
    const slot = table.find(handle);
    invariant(typeof slot === 'number' && seen.has(slot), 'A handle leads to no block of any span.');
  }
  equal('handles', told.blocks, known);

  function countSlab(slab: Slab): number {
    const usedChunks = new Set<number>();
    let cellBytes = 0;
    for (const span of slab.spans) {
      invariant(span.slab === slab && heap.spanOf(span.id) === span, 'A span is not where its number leads.');
      for (let chunk = span.firstChunk; chunk < span.firstChunk + span.sizeClass.spanChunks; chunk++) {
        invariant(!usedChunks.has(chunk) && !slab.chunks.isFree(chunk), 'Two spans overlap, or a used chunk is free.');
        usedChunks.add(chunk);
      }
      const blocks = countSpan(span);
      cellBytes += blocks * span.sizeClass.cellBytes;
      if (!slab.isDedicated) {
        liveByClass[span.sizeClass.index]! += blocks;
        const listed = !slab.isDraining && span.freeCount > 0;
        invariant(listed === (span.place !== -1), 'A span with room is not listed, or one without is.');
      }
    }
    equal('free chunks', slab.chunks.freeCount, CHUNKS_PER_SLAB - usedChunks.size);
    let run = 0;
    let longest = 0;
    for (let chunk = 0; chunk < CHUNKS_PER_SLAB; chunk++) {
      run = usedChunks.has(chunk) ? 0 : run + 1;
      longest = Math.max(longest, run);
    }
    equal('longest run', slab.chunks.longestRun, longest);
    equal('cell bytes of a slab', slab.cellBytes, cellBytes);
    equal('bytes of a slab', slab.bytes.length, slab.sizeBytes);
    invariant(!slab.isDraining || slab.place === -1, 'A slab that is being emptied is offered for spans.');
    return cellBytes;
  }

  function countSpan(span: Span): number {
    const cells = new Set<number>();
    for (let slot = span.headSlot; slot !== NO_SLOT; slot = table.nextOf(slot)) {
      invariant(!seen.has(slot), 'A block stands in two places.');
      seen.add(slot);
      const cell = table.cellOf(slot);
      invariant(table.spanIdOf(slot) === span.id, 'A block leads to another span than the one it is in.');
      invariant(
        cell < span.sizeClass.cellsPerSpan && !span.isFree(cell) && !cells.has(cell),
        'Two blocks share a cell.',
      );
      cells.add(cell);
      invariant(table.bytesOf(slot) <= span.sizeClass.cellBytes, 'A block is larger than its cell.');
      const endOffset = span.offsetOf(cell) + span.sizeClass.cellBytes;
      const spanEnd = span.offset + span.sizeClass.spanChunks * (span.slab.sizeBytes / CHUNKS_PER_SLAB);
      invariant(endOffset <= spanEnd, 'A cell reaches out of its span.');
      total.blocks++;
      total.liveBytes += table.bytesOf(slot);
    }
    equal('blocks of a span', span.liveCount, cells.size);
    invariant(cells.size > 0, 'A span without blocks is kept.');
    return cells.size;
  }
}

function equal(what: string, told: number, counted: number): void {
  invariant(told === counted, `${what}: told ${told}, counted ${counted}.`);
}
