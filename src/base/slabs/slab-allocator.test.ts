import { afterEach, describe, expect, it, vi } from 'vitest';
import { validateSlabs } from '../../testing/validate-slabs.ts';
import { KIB, MIB } from '../bytes.ts';
import { ClosedError, InvalidArgumentError } from '../errors.ts';
import type { SlabHandle } from './block-table.ts';
import { SlabAllocator, type SlabAllocatorOptions } from './slab-allocator.ts';
import { SlabBlockInUseError, SlabHandleError, SlabMemoryError, SlabNoRoomError } from './slab-errors.ts';

const open: SlabAllocator[] = [];

function allocatorOf(options: SlabAllocatorOptions = {}): SlabAllocator {
  const allocator = new SlabAllocator(options);
  open.push(allocator);
  return allocator;
}

/** A grant with a limit that can be changed. */
function grantOf(limitBytes: number) {
  const grant = {
    limitBytes,
    takenBytes: 0,
    tryTake(bytes: number) {
      if (grant.takenBytes + bytes > grant.limitBytes) return false;
      grant.takenBytes += bytes;
      return true;
    },
    release(bytes: number) {
      grant.takenBytes -= bytes;
    },
  };
  return grant;
}

afterEach(() => {
  vi.unstubAllGlobals();
  for (const allocator of open.splice(0)) {
    if (!allocator.isClosed) validateSlabs(allocator);
    allocator.close();
    const { slabBytes: _, ...rest } = allocator.statistics();
    expect(Object.values(rest).every((figure) => figure === 0)).toBe(true);
  }
});

describe('a block', () => {
  it('holds what was put in, at any size', () => {
    const allocator = allocatorOf();
    for (const bytes of [0, 1, 31, 32, 33, 4096, 512 * KIB, 512 * KIB + 1, MIB, 5 * MIB + 3]) {
      const source = Buffer.alloc(bytes, bytes % 251);
      const handle = allocator.put(source);
      expect(allocator.bytesOf(handle)).toBe(bytes);
      expect(source.equals(allocator.copyOut(handle))).toBe(true);
      expect(source.equals(allocator.view(handle))).toBe(true);
    }
  });

  it("is all zeros when it is new, whoever's bytes lay there", () => {
    const allocator = allocatorOf();
    allocator.free(allocator.put(Buffer.alloc(1000, 7)));
    expect(allocator.view(allocator.allocate(1000)).every((byte) => byte === 0)).toBe(true);
  });

  it('takes what is copied in at an offset, and no more than fits', () => {
    const allocator = allocatorOf();
    const handle = allocator.allocate(4);
    allocator.copyIn(handle, Buffer.from([7, 8]), 2);
    expect([...allocator.copyOut(handle)]).toEqual([0, 0, 7, 8]);
    expect(() => allocator.copyIn(handle, Buffer.alloc(3), 2)).toThrow(InvalidArgumentError);
    expect(() => allocator.copyIn(handle, Buffer.alloc(1), -1)).toThrow(InvalidArgumentError);
    expect(() => allocator.copyOut(handle, Buffer.alloc(3))).toThrow(InvalidArgumentError);
    expect([...allocator.copyOut(handle, Buffer.alloc(9))]).toEqual([0, 0, 7, 8]);
  });
});

describe('a handle', () => {
  it('is refused once it was freed, also when its place has a new block', () => {
    const allocator = allocatorOf();
    const stale = allocator.put(Buffer.from('old'));
    allocator.free(stale);
    for (let index = 0; index < 10_000; index++) allocator.put(Buffer.from('new'));
    for (const use of [
      () => allocator.free(stale),
      () => allocator.view(stale),
      () => allocator.copyOut(stale),
      () => allocator.copyIn(stale, Buffer.from('x')),
      () => allocator.bytesOf(stale),
      () => allocator.withView(stale, () => 1),
    ]) {
      expect(use).toThrow(expect.objectContaining({ code: 'SLAB_HANDLE', problem: 'freed' }));
    }
    expect(allocator.has(stale)).toBe(false);
  });

  it('is refused by another allocator', () => {
    const handle = allocatorOf().put(Buffer.from('a'));
    const other = allocatorOf();
    other.put(Buffer.from('b'));
    expect(() => other.view(handle)).toThrow(expect.objectContaining({ code: 'SLAB_HANDLE', problem: 'foreign' }));
  });

  it('is refused when it is none', () => {
    const allocator = allocatorOf();
    const handle = allocator.allocate(1);
    for (const none of [0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY, '1', null, undefined, {}, BigInt(handle)]) {
      expect(() => allocator.free(none as SlabHandle)).toThrow(SlabHandleError);
      expect(allocator.has(none as SlabHandle)).toBe(false);
    }
  });
});

describe('bad input', () => {
  it('is refused, and nothing is taken', () => {
    const allocator = allocatorOf({ maxBlockBytes: 2 * MIB });
    for (const bytes of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 * MIB + 1, '5' as unknown as number]) {
      expect(() => allocator.tryAllocate(bytes)).toThrow(InvalidArgumentError);
      expect(() => allocator.allocate(bytes)).toThrow(InvalidArgumentError);
    }
    for (const source of [null, undefined, 'text', [1], new ArrayBuffer(4), new Float32Array(2)]) {
      expect(() => allocator.put(source as unknown as Uint8Array)).toThrow(InvalidArgumentError);
    }
    expect(() => allocator.release({ targetBytes: -1 })).toThrow(InvalidArgumentError);
    expect(() => allocator.release({ targetBytes: 1, deadlineMs: Number.NaN })).toThrow(InvalidArgumentError);
    expect(allocator.reservedBytes).toBe(0);
  });

  it('is refused by the constructor', () => {
    for (const options of [
      { slabBytes: 3 * MIB },
      { slabBytes: 512 * KIB },
      { slabBytes: 8 * MIB },
      { slabBytes: Number.NaN },
      { maxBlockBytes: 0 },
      { maxBlockBytes: 2 ** 31 },
      { spareSlabs: -1 },
      { spareSlabs: Number.NaN },
    ]) {
      expect(() => new SlabAllocator(options)).toThrow(InvalidArgumentError);
    }
  });
});

describe('slabs', () => {
  it('go back when their last block leaves, but for the spare ones, and those first of all', () => {
    const grant = grantOf(64 * MIB);
    const allocator = allocatorOf({ grant, spareSlabs: 2 });
    const handles = Array.from({ length: 16 }, () => allocator.put(Buffer.alloc(512 * KIB)));
    expect(allocator.statistics().slabs).toBe(8);
    for (const handle of handles) allocator.free(handle);
    expect(allocator.statistics()).toMatchObject({ slabs: 2, emptySlabs: 2, compactableBytes: 2 * MIB });
    expect(allocator.release({ targetBytes: MIB }).releasedBytes).toBeGreaterThanOrEqual(MIB);
    allocator.release({ targetBytes: 4 * MIB });
    expect(grant.takenBytes).toBe(0);
  });

  it('leave stale views empty, not full of others', () => {
    const allocator = allocatorOf({ spareSlabs: 0 });
    const handle = allocator.put(Buffer.alloc(100, 7));
    const view = allocator.view(handle);
    allocator.free(handle);
    allocator.put(Buffer.alloc(100, 8));
    expect(view.length).toBe(0);
  });

  it('come together again under compaction: half of scattered blocks gone is half of the slabs back', () => {
    const allocator = allocatorOf({ spareSlabs: 0 });
    const blocks = Array.from({ length: 32 * 1024 }, (_, index) => ({
      handle: allocator.put(Buffer.alloc(1000, index)),
      index,
    }));
    const slabsBefore = allocator.statistics().slabs;
    for (const { handle, index } of blocks) if (index % 2 === 1) allocator.free(handle);
    expect(allocator.statistics().slabs).toBe(slabsBefore);
    const wantedBytes = allocator.compactableBytes;
    expect(wantedBytes).toBeGreaterThan((slabsBefore / 2 - 3) * MIB);
    const { releasedBytes, end, movedBytes } = allocator.release({ targetBytes: wantedBytes });
    expect({ releasedBytes, end }).toEqual({ releasedBytes: wantedBytes, end: 'reached' });
    expect(movedBytes).toBeLessThan(allocator.liveBytes * 0.6);
    for (const { handle, index } of blocks) {
      if (index % 2 === 0) expect(allocator.view(handle)[999]).toBe(index % 256);
    }
  });

  it('join sparse spans of other classes where the holes are of the wrong size', () => {
    const allocator = allocatorOf({ spareSlabs: 0 });
    // Small blocks with holes first, then larger ones that leave whole slabs sparse: these find no cell of their class elsewhere.
    const small = Array.from({ length: 16 * 1024 }, () => allocator.put(Buffer.alloc(1000, 1)));
    const large = Array.from({ length: 512 }, () => allocator.put(Buffer.alloc(20_000, 2)));
    for (const [index, handle] of small.entries()) if (index % 4 !== 0) allocator.free(handle);
    for (const [index, handle] of large.entries()) if (index % 16 !== 0) allocator.free(handle);
    const wantedBytes = allocator.compactableBytes;
    expect(wantedBytes).toBeGreaterThan(8 * MIB);
    expect(allocator.release({ targetBytes: wantedBytes }).releasedBytes).toBeGreaterThanOrEqual(wantedBytes);
  });

  it('keep a block that is being viewed where it is', () => {
    const allocator = allocatorOf({ spareSlabs: 0 });
    const blocks = Array.from({ length: 2048 }, (_, index) => allocator.put(Buffer.alloc(8000, index)));
    const pinned = blocks[100]!;
    for (const [index, handle] of blocks.entries()) if (index % 8 !== 4) allocator.free(handle);
    allocator.withView(pinned, (view) => {
      expect(() => allocator.free(pinned)).toThrow(SlabBlockInUseError);
      expect(allocator.release({ targetBytes: 64 * MIB }).releasedBytes).toBeGreaterThan(8 * MIB);
      expect(view.length).toBe(8000);
      expect(view.every((byte) => byte === 100)).toBe(true);
      view[0] = 1;
    });
    expect(allocator.view(pinned)[0]).toBe(1);
    allocator.free(pinned);
  });

  it('are taken back into use, half emptied, before another is made', () => {
    let nowMs = 0;
    const clock = { nowMs: () => 0, monotonicMs: () => nowMs++, after: vi.fn(), every: vi.fn() };
    const grant = grantOf(16 * MIB + 4 * 196_608);
    const allocator = allocatorOf({ spareSlabs: 0, clock, grant });
    const blocks: SlabHandle[] = [];
    for (let next = allocator.tryAllocate(4000); next !== null; next = allocator.tryAllocate(4000)) blocks.push(next);
    const kept = blocks.filter((_, index) => index % 3 === 0);
    for (const [index, handle] of blocks.entries()) if (index % 3 !== 0) allocator.free(handle);
    const { end, movedBlocks } = allocator.release({ targetBytes: 8 * MIB, deadlineMs: 0 });
    expect(end).toBe('paused');
    expect(movedBlocks).toBeGreaterThan(0);
    // No slab can be made, yet all the room there was is found.
    grant.limitBytes = grant.takenBytes;
    const before = allocator.statistics();
    for (let next = allocator.tryAllocate(4000); next !== null; next = allocator.tryAllocate(4000)) kept.push(next);
    expect(allocator.statistics().holeBytes).toBeLessThan(before.slabs * 32 * KIB);
    validateSlabs(allocator, kept);
  });
});

describe('when there is no room', () => {
  it('says so, with the books unchanged', () => {
    const grant = grantOf(1.5 * MIB);
    const allocator = allocatorOf({ grant });
    const first = allocator.allocate(600 * KIB);
    expect(allocator.tryAllocate(MIB)).toBeNull();
    expect(() => allocator.allocate(MIB)).toThrow(expect.objectContaining({ code: 'SLAB_NO_ROOM', requestBytes: MIB }));
    expect(() => allocator.put(Buffer.alloc(MIB))).toThrow(SlabNoRoomError);
    expect(grant.takenBytes).toBe(allocator.reservedBytes);
    allocator.free(first);
    allocator.allocate(MIB);
  });

  it('tells a refusal of the system apart, with its cause, and gives the grant back', () => {
    const grant = grantOf(64 * MIB);
    const allocator = allocatorOf({ grant });
    const kept = allocator.put(Buffer.alloc(10));
    const takenBytes = grant.takenBytes;
    const cause = new RangeError('Array buffer allocation failed');
    vi.stubGlobal(
      'ArrayBuffer',
      class {
        constructor() {
          throw cause;
        }
      },
    );
    expect(() => allocator.allocate(MIB)).toThrow(expect.objectContaining({ code: 'SLAB_MEMORY', cause }));
    expect(() => allocator.tryAllocate(MIB)).toThrow(SlabMemoryError);
    vi.unstubAllGlobals();
    expect(grant.takenBytes).toBe(takenBytes);
    expect(allocator.view(kept).length).toBe(10);
    allocator.allocate(MIB);
  });
});

describe('a grant that calls back', () => {
  it('finds the allocator whole, and cannot release within a release', () => {
    const inner: number[] = [];
    const grant = {
      tryTake: () => true,
      release: () => {
        validateSlabs(allocator);
        inner.push(allocator.release({ targetBytes: MIB }).releasedBytes);
      },
    };
    const allocator: SlabAllocator = allocatorOf({ grant, spareSlabs: 4 });
    const handles = Array.from({ length: 8 }, () => allocator.allocate(512 * KIB));
    for (const handle of handles) allocator.free(handle);
    allocator.release({ targetBytes: 4 * MIB });
    expect(inner.length).toBeGreaterThan(0);
    expect(inner.every((bytes) => bytes === 0)).toBe(true);
  });
});

describe('withView', () => {
  it('returns what is returned, throws what is thrown, and lets the block go either way', () => {
    const allocator = allocatorOf();
    const handle = allocator.put(Buffer.from('abc'));
    expect(allocator.withView(handle, (view) => Buffer.from(view).toString())).toBe('abc');
    expect(() =>
      allocator.withView(handle, () => {
        throw new Error('mine');
      }),
    ).toThrow('mine');
    expect(() => allocator.withView(handle, async () => {})).toThrow(InvalidArgumentError);
    expect(allocator.withView(handle, () => allocator.withView(handle, (view) => view.length))).toBe(3);
    allocator.free(handle);
  });
});

describe('after close', () => {
  it('everything is zero and refused, and closing again is harmless', () => {
    const grant = grantOf(64 * MIB);
    const allocator = new SlabAllocator({ grant });
    const handle = allocator.put(Buffer.alloc(100));
    allocator.put(Buffer.alloc(3 * MIB));
    const view = allocator.view(handle);
    allocator.withView(handle, () => allocator.close());
    allocator.close();
    expect(grant.takenBytes).toBe(0);
    expect(view.length).toBe(0);
    expect(allocator.has(handle)).toBe(false);
    for (const use of [
      () => allocator.view(handle),
      () => allocator.free(handle),
      () => allocator.tryAllocate(1),
      () => allocator.put(Buffer.alloc(1)),
      () => allocator.release({ targetBytes: 1 }),
    ]) {
      expect(use).toThrow(ClosedError);
    }
    expect(allocator.statistics()).toMatchObject({
      reservedBytes: 0,
      liveBytes: 0,
      blocks: 0,
      slabs: 0,
      tableBytes: 0,
    });
  });
});
