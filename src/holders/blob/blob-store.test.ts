import { afterEach, describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { ClosedError, InvalidArgumentError } from '../../base/errors.ts';
import type { SlabHandle } from '../../base/slabs/block-table.ts';
import { SlabHandleError } from '../../base/slabs/slab-errors.ts';
import { Budget } from '../../budget/budget.ts';
import { BlobStore } from './blob-store.ts';

let budget = newBudget();

function newBudget(): Budget {
  return new Budget({ limitBytes: 16 * MIB, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
}

afterEach(() => {
  expect(budget.reservedBytes).toBe(0);
  expect(budget.close().leakedBytes).toBe(0);
  budget = newBudget();
});

describe('a blob store', () => {
  it('keeps blobs, empty ones too, and forgets what is deleted', async () => {
    using store = new BlobStore({ budget, name: 'blobs' });
    const handle = await store.put(Buffer.from('hello'));
    const empty = store.tryPut(new Uint8Array())!;
    expect(store.get(handle).toString()).toBe('hello');
    expect(store.get(empty).length).toBe(0);
    expect(store.read(handle, Buffer.alloc(8)).length).toBe(5);
    expect(store.withView(handle, (view) => view.length)).toBe(5);
    expect(store.bytesOf(handle)).toBe(5);
    expect({ size: store.size, liveBytes: store.liveBytes }).toEqual({ size: 2, liveBytes: 5 });
    store.delete(handle);
    expect(store.has(handle)).toBe(false);
    expect(() => store.get(handle)).toThrow(SlabHandleError);
    expect(() => store.delete(handle)).toThrow(SlabHandleError);
    expect(store.costBytes(5)).toBe(56);
    expect(store.path).toBe('budget/blobs');
    expect(store.reservedBytes).toBe(store.statistics().reservedBytes);
  });

  it('serves as the bytes of a cache: under pressure the oldest go, and the books fall by whole slabs', async () => {
    const entries = new Map<string, SlabHandle>();
    using store = new BlobStore({
      budget,
      name: 'responses',
      drop({ targetBytes }) {
        let droppedBytes = 0;
        for (const [key, handle] of entries) {
          if (droppedBytes >= targetBytes) return;
          droppedBytes += store.costBytes(store.bytesOf(handle));
          store.delete(handle);
          entries.delete(key);
        }
      },
    });
    for (let index = 0; index < 1000; index++) entries.set(`/page/${index}`, store.tryPut(Buffer.alloc(9000, index))!);
    const before = budget.reservedBytes;
    const outcome = await budget.reclaim({ targetBytes: 4 * MIB, level: 'high' });
    expect(outcome.end).toBe('reached');
    expect(before - budget.reservedBytes).toBe(outcome.claimedBytes);
    expect(store.size).toBe(entries.size);
    expect(entries.has('/page/0')).toBe(false);
    expect(store.get(entries.get('/page/999')!)[0]).toBe(999 % 256);
  });

  it('refuses bad input and use after close', async () => {
    expect(() => new BlobStore({ budget, name: 'x', drop: 5 as unknown as () => void })).toThrow(InvalidArgumentError);
    expect(() => new BlobStore({ budget, name: 'x', slabBytes: 5 })).toThrow(InvalidArgumentError);
    const store = new BlobStore({ budget, name: 'blobs', maxBlockBytes: 100 });
    expect(() => store.tryPut(Buffer.alloc(101))).toThrow(InvalidArgumentError);
    await expect(store.put('text' as unknown as Uint8Array)).rejects.toBeInstanceOf(InvalidArgumentError);
    const handle = store.tryPut(Buffer.alloc(1))!;
    store.close();
    store.close();
    expect(() => store.get(handle)).toThrow(ClosedError);
    expect(() => store.tryPut(Buffer.alloc(1))).toThrow(ClosedError);
    await expect(store.put(Buffer.alloc(1))).rejects.toBeInstanceOf(ClosedError);
  });
});
