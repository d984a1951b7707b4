import { afterEach, describe, expect, it, vi } from 'vitest';
import { KIB, MIB } from '../base/bytes.ts';
import { ClosedError } from '../base/errors.ts';
import type { SlabHandle } from '../base/slabs/block-table.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { validateSlabs } from '../testing/validate-slabs.ts';
import { Budget } from './budget.ts';
import { BudgetExceededError } from './budget-errors.ts';
import type { BudgetEvent } from './budget-events.ts';
import { SlabBytes, type SlabBytesOptions } from './slab-bytes.ts';

const events: BudgetEvent[] = [];
const holders: SlabBytes[] = [];
let clock = new ManualClock();
let budget = newBudget();

function newBudget(limitBytes = 64 * MIB): Budget {
  return new Budget({
    name: 'node',
    limitBytes,
    clock,
    regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
    emit: (event) => events.push(event),
  });
}

function holderOf(options: Partial<SlabBytesOptions> = {}): SlabBytes {
  const holder = new SlabBytes({
    budget,
    name: `holder-${holders.length}`,
    priority: 5,
    clock,
    spareSlabs: 0,
    ...options,
  });
  holders.push(holder);
  return holder;
}

/** Fills a holder with blocks, frees some, and drops the oldest when asked. */
function filled(
  options: Partial<SlabBytesOptions> & { keepEvery?: number; blockBytes?: number; isLossy?: boolean } = {},
) {
  const { keepEvery = 1, blockBytes = 4000, isLossy = true, ...rest } = options;
  const blocks: SlabHandle[] = [];
  const drop = vi.fn(({ targetBytes }: { targetBytes: number }) => {
    for (let bytes = 0; bytes < targetBytes && blocks.length > 0; bytes += blockBytes) {
      holder.allocator.free(blocks.shift()!);
    }
  });
  const holder = holderOf({ ...(isLossy && { drop }), ...rest });
  const count = Math.floor((32 * MIB) / blockBytes);
  const all = Array.from({ length: count }, (_, index) => holder.allocator.put(Buffer.alloc(blockBytes, index)));
  for (const [index, handle] of all.entries()) {
    if (index % keepEvery === 0) blocks.push(handle);
    else holder.allocator.free(handle);
  }
  return { holder, blocks, drop };
}

const failures = () => events.filter(({ type }) => type === 'budget.consumer_failed');

afterEach(() => {
  for (const holder of holders.splice(0)) {
    if (!holder.allocator.isClosed) {
      validateSlabs(holder.allocator);
      expect(holder.reservedBytes).toBe(holder.allocator.reservedBytes);
    }
    expect(holder.close()).toBeNull();
    expect(holder.close()).toBeNull();
  }
  expect(budget.reservedBytes).toBe(0);
  expect(budget.close().leakedBytes).toBe(0);
  events.length = 0;
  clock = new ManualClock();
  budget = newBudget();
});

describe('a holder in slabs', () => {
  it('reserves each slab before it is made, to the byte', () => {
    const holder = holderOf();
    holder.allocator.put(Buffer.alloc(100));
    holder.allocator.put(Buffer.alloc(3 * MIB));
    expect(budget.reservedBytes).toBe(holder.allocator.reservedBytes);
    expect(budget.reservedByResidence.slab).toBe(budget.reservedBytes);
  });

  it('is refused by a full budget, with the books unchanged', () => {
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 64 * MIB });
    const holder = holderOf();
    expect(holder.allocator.tryPut(Buffer.alloc(1))).toBeNull();
    expect(budget.reservedBytes).toBe(64 * MIB);
    other.give(64 * MIB);
  });

  it('gives holes without dropping anything, and claims what the books show', async () => {
    const { holder, drop } = filled({ keepEvery: 2 });
    const before = budget.reservedBytes;
    const outcome = await budget.reclaim({ targetBytes: 12 * MIB, level: 'moderate' });
    expect(outcome.accountedBytes).toBeGreaterThanOrEqual(12 * MIB);
    expect(outcome.claimedBytes).toBe(outcome.accountedBytes);
    expect(before - budget.reservedBytes).toBe(outcome.accountedBytes);
    expect(drop).not.toHaveBeenCalled();
    expect(holder.allocator.blockCount).toBeGreaterThan(4000);
    expect(failures()).toEqual([]);
  });

  it('drops what is needed beyond that, and gives whole slabs for it', async () => {
    const { blocks, drop } = filled({ keepEvery: 2 });
    const blocksBefore = blocks.length;
    const outcome = await budget.reclaim({ targetBytes: 24 * MIB, level: 'high' });
    expect(outcome).toMatchObject({ end: 'reached', claimedBytes: outcome.accountedBytes });
    expect(outcome.accountedBytes).toBeLessThan(27 * MIB);
    expect(drop).toHaveBeenCalled();
    // Some eight megabytes of blocks more than the holes, and not all of them.
    expect(blocks.length).toBeLessThan(blocksBefore);
    expect(blocks.length).toBeGreaterThan(blocksBefore / 4);
    expect(failures()).toEqual([]);
  });

  it('gives only what costs nothing when it has nobody to drop', async () => {
    const { holder } = filled({ keepEvery: 2, isLossy: false });
    const outcome = await budget.reclaim({ targetBytes: 40 * MIB, level: 'critical' });
    expect(outcome.accountedBytes).toBeGreaterThan(12 * MIB);
    expect(outcome.end).toBe('exhausted');
    expect(holder.allocator.blockCount).toBe(Math.ceil(Math.floor((32 * MIB) / 4000) / 2));
    expect(failures()).toEqual([]);
  });

  it('drops idle blocks first where it knows them', async () => {
    const { holder, drop } = filled({ idleBytes: () => 8 * MIB });
    const outcome = await budget.reclaim({ targetBytes: 6 * MIB, level: 'low' });
    expect(outcome.end).toBe('reached');
    expect(drop.mock.calls[0]![0]).toMatchObject({ kind: 'idle' });
    expect(holder.reservedBytes).toBe(holder.allocator.reservedBytes);
  });

  it('stays at its minimum', async () => {
    const { holder } = filled({ minBytes: 20 * MIB });
    await budget.reclaim({ targetBytes: 64 * MIB, level: 'critical' });
    expect(holder.reservedBytes).toBeGreaterThanOrEqual(20 * MIB);
    expect(holder.reservedBytes).toBeLessThan(23 * MIB);
    expect(failures()).toEqual([]);
  });

  it('survives a drop that throws: what it freed by then is given', async () => {
    const { holder, blocks } = filled({
      drop: () => {
        for (const handle of blocks.splice(0, 4000)) holder.allocator.free(handle);
        throw new Error('evict failed');
      },
    });
    const before = budget.reservedBytes;
    const outcome = await budget.reclaim({ targetBytes: 8 * MIB, level: 'high' });
    expect(outcome.answers[0]).toMatchObject({ failure: 'threw' });
    expect(outcome.accountedBytes).toBeGreaterThanOrEqual(8 * MIB);
    expect(before - budget.reservedBytes).toBe(outcome.accountedBytes);
  });

  it('survives a drop that gives nothing, allocates, releases, reclaims, or closes', async () => {
    const drops: ((holder: SlabBytes) => unknown)[] = [
      () => Number.NaN,
      (holder) => expect(holder.allocator.tryAllocate(5 * MIB)).toBeNull(),
      (holder) => holder.allocator.release({ targetBytes: 64 * MIB }),
      () => void budget.reclaim({ targetBytes: MIB }),
      async (holder) => {
        await Promise.resolve();
        holder.close();
      },
    ];
    for (const dropped of drops) {
      const { holder } = filled({ drop: () => dropped(holder) });
      const before = budget.reservedBytes;
      const outcome = await budget.reclaim({ targetBytes: 4 * MIB, level: 'high' });
      expect(before - budget.reservedBytes).toBe(outcome.accountedBytes);
      expect(failures()).toEqual([]);
      holder.close();
    }
  });

  it('ends when it is called off, in the middle of compacting', async () => {
    let ticks = 0;
    vi.spyOn(clock, 'monotonicMs').mockImplementation(() => ticks++);
    const { holder, drop } = filled({ keepEvery: 2 });
    const controller = new AbortController();
    const reclaiming = budget.reclaim({ targetBytes: 30 * MIB, deadlineMs: 100_000, signal: controller.signal });
    controller.abort();
    const outcome = await reclaiming;
    expect(outcome.end).toBe('aborted');
    await new Promise(setImmediate);
    expect(drop).not.toHaveBeenCalled();
    expect(holder.reservedBytes).toBeGreaterThan(16 * MIB);
  });
});

describe('waiting for room', () => {
  it('takes what another consumer gives', async () => {
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 64 * MIB, priority: 9 });
    const holder = holderOf();
    const handle = await holder.put(Buffer.from('here'));
    expect(holder.allocator.copyOut(handle).toString()).toBe('here');
    expect(other.bytes + holder.reservedBytes).toBe(budget.reservedBytes);
    const zeros = await holder.allocate(2 * MIB);
    expect(holder.allocator.bytesOf(zeros)).toBe(2 * MIB);
    other.give(64 * MIB);
  });

  it('makes many wait without taking a slab for each', async () => {
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 64 * MIB, onReclaim: () => 0 });
    const holder = holderOf();
    const puts = Array.from({ length: 50 }, (_, index) => holder.put(Buffer.alloc(100, index)));
    await Promise.resolve();
    other.give(60 * MIB);
    const handles = await Promise.all(puts);
    expect(handles.map((handle) => holder.allocator.view(handle)[0])).toEqual(handles.map((_, index) => index));
    expect(holder.allocator.statistics().slabs).toBe(1);
    other.give(64 * MIB);
  });

  it('ends with the time, the signal, or close', async () => {
    const other = new ScriptedConsumer(budget, { name: 'other', bytes: 64 * MIB, onReclaim: () => 0 });
    const holder = holderOf();
    const late = holder.put(Buffer.alloc(1), { timeoutMs: 10 });
    const controller = new AbortController();
    const aborted = holder.put(Buffer.alloc(1), { signal: controller.signal });
    const closed = holder.put(Buffer.alloc(1));
    const outcomes = Promise.allSettled([late, aborted, closed]);
    controller.abort(new Error('enough'));
    await clock.advance(20);
    holder.close();
    const [first, second, third] = (await outcomes) as PromiseRejectedResult[];
    expect(first!.reason).toBeInstanceOf(BudgetExceededError);
    expect(second!.reason).toMatchObject({ message: 'enough' });
    expect(third!.reason).toBeInstanceOf(ClosedError);
    await expect(holder.put(Buffer.alloc(1))).rejects.toBeInstanceOf(ClosedError);
    other.give(64 * MIB);
  });
});

describe('closing', () => {
  it('gives all back with blocks still in it, also after the budget was closed', () => {
    const holder = holderOf();
    holder.allocator.put(Buffer.alloc(100 * KIB));
    const closing = newBudget();
    const other = new SlabBytes({ budget: closing, name: 'other', priority: 5, clock });
    other.allocator.put(Buffer.alloc(10));
    expect(closing.close().leakedBytes).toBe(other.allocator.reservedBytes);
    other.close();
    expect(other.allocator.reservedBytes).toBe(0);
  });
});
