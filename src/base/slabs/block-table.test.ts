import { describe, expect, it } from 'vitest';
import { MIB } from '../bytes.ts';
import { BlockTable, type SlabHandle, TABLE_PAGE_BYTES, TABLE_ROW_BYTES } from './block-table.ts';
import { SizeClasses } from './size-classes.ts';
import { Slab, Span } from './slab.ts';

const ROWS = TABLE_PAGE_BYTES / TABLE_ROW_BYTES;
const GENERATIONS = 2 ** 19;

function span(): Span {
  const slab = new Slab({ sizeBytes: MIB, isDedicated: false });
  return new Span({ id: 0, slab, sizeClass: new SizeClasses(MIB).of(100), firstChunk: 0, offset: 0 });
}

function table(): BlockTable {
  const made = new BlockTable('test');
  made.addPage();
  return made;
}

describe('the block table', () => {
  it('never gives a handle out twice: a row whose generations are used up is retired', () => {
    const blocks = table();
    const home = span();
    const rows: number[] = [];
    for (let row = 1; row < ROWS; row++) rows.push(blocks.add(home, { cell: row, bytes: 1 }));
    // One row is left; it is used until it is worn out.
    let last = 0;
    for (let generation = 0; generation < GENERATIONS; generation++) {
      const slot = blocks.add(home, { cell: 0, bytes: 1 });
      const handle = blocks.handleOf(slot);
      if (handle <= last) throw new Error('A handle came again.');
      last = handle;
      blocks.remove(slot, home);
    }
    expect(Number.isSafeInteger(last)).toBe(true);
    expect(blocks.find(last as SlabHandle)).toBe('freed');
    expect(blocks.isFull).toBe(true);
    // A page with such a row stays, so that it does not come back with its generations anew.
    for (const slot of rows) blocks.remove(slot, home);
    expect(blocks.trim()).toBe(0);
  });

  it('remembers the generations of pages it gave back', () => {
    const blocks = table();
    const home = span();
    const handles: SlabHandle[] = [];
    const round = () => {
      const slots = Array.from({ length: ROWS }, (_, cell) => blocks.add(home, { cell, bytes: 1 }));
      handles.push(...slots.map((slot) => blocks.handleOf(slot)));
      for (const slot of slots) blocks.remove(slot, home);
    };
    round();
    expect(blocks.trim()).toBe(TABLE_PAGE_BYTES);
    expect(blocks.bytes).toBe(0);
    expect(blocks.find(handles[0]!)).toBe('freed');
    blocks.addPage();
    round();
    expect(new Set(handles).size).toBe(2 * ROWS);
  });

  it('keeps the pages up to the last block, and hands the free rows before it out again', () => {
    const blocks = table();
    const home = span();
    const first = blocks.add(home, { cell: 0, bytes: 1 });
    for (let row = 1; row < ROWS; row++) blocks.add(home, { cell: row, bytes: 1 });
    blocks.addPage();
    blocks.remove(first, home);
    expect(blocks.trim()).toBe(TABLE_PAGE_BYTES);
    expect(blocks.add(home, { cell: 0, bytes: 1 })).toBe(first);
    expect(blocks.isFull).toBe(true);
  });
});
