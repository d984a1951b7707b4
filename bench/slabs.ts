/** Does memory that is reclaimed from slabs leave the process, how fast, and what do plain Buffers do? */
import { readFileSync } from 'node:fs';
import { MIB } from '../src/base/bytes.ts';
import { type Random, randomInteger, seededRandom } from '../src/base/random.ts';
import type { SlabHandle } from '../src/base/slabs/block-table.ts';
import { Budget } from '../src/budget/budget.ts';
import { SlabBytes } from '../src/budget/slab-bytes.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

/** What an agent server caches: rendered answers, tool results, pages of documents. */
const BLOB_BYTES = { low: 1_000, high: 16_000 };
/** Where buffers are freed by the collector, the system has them a little later. */
const SETTLE_MS = 300;

interface Sizes {
  readonly heldBytes: number;
  readonly wantedBytes: number;
}

interface Outcome {
  readonly ms: number;
  readonly accountedBytes: number;
  readonly dropBytes: number;
}

/** What is freed before the clock starts: nothing (full slabs), or every second blob at random. */
type Heap = 'full' | 'fragmented';

export const bench: Bench = {
  name: 'slabs',
  question: 'How long does a reclaim of 64 MB from 128 MB of blobs take, and how much of it leaves the process?',
  async run({ small }) {
    const sizes = { heldBytes: (small ? 32 : 128) * MIB, wantedBytes: (small ? 16 : 64) * MIB };
    const runs = small ? 2 : 9;
    const rows: (string | number)[][] = [];
    const contestants: [string, Heap, (sizes: Sizes, random: Random) => Promise<Outcome>][] = [
      ['full slabs: the oldest half is dropped', 'full', (of, random) => fromSlabs(of, { random, heap: 'full' })],
      ['the same in a Map of Buffers, deleted', 'full', (of, random) => fromMap(of, { random, collects: false })],
      ['the same, and then gc()', 'full', (of, random) => fromMap(of, { random, collects: true })],
      [
        'a random half is free: moved together',
        'fragmented',
        (of, random) => fromSlabs(of, { random, heap: 'fragmented' }),
      ],
      [
        'the same in a Map, the other half deleted',
        'fragmented',
        (of, random) => fromHoles(of, { random, collects: false }),
      ],
      ['the same, and then gc()', 'fragmented', (of, random) => fromHoles(of, { random, collects: true })],
    ];
    const outcomes = contestants.map((): Outcome[] => []);
    for (let run = -1; run < runs; run++) {
      for (const [at, [, , measure]] of contestants.entries()) {
        const outcome = await measure(sizes, seededRandom(1000 + run));
        if (run >= 0) outcomes[at]!.push(outcome);
        globalThis.gc?.();
        await settled();
      }
    }
    for (const [at, [name]] of contestants.entries()) {
      const of = outcomes[at]!;
      const mb = (bytes: number) => Math.round((bytes / MIB) * 10) / 10;
      rows.push([
        name,
        figure(median(of.map(({ ms }) => ms))),
        figure(Math.min(...of.map(({ ms }) => ms))),
        mb(median(of.map(({ accountedBytes }) => accountedBytes))),
        mb(median(of.map(({ dropBytes }) => dropBytes))),
        `${Math.round((median(of.map(({ dropBytes }) => dropBytes)) / sizes.wantedBytes) * 100)} %`,
      ]);
    }
    return {
      columns: ['64 MB from', 'ms, median', 'ms, fastest', 'MB off the books', 'MB resident drop', 'share of 64 MB'],
      rows,
      notes: [
        'Floor: 50 ms, 80 %. Aim: 10 ms, 95 %.',
        `${runs} runs, contestants by turns; blobs of 1,000 to 16,000 bytes. Time is that of budget.reclaim(), with the budget, the drop of blobs and the compaction, or of the deletes and gc(). ` +
          `Resident memory is read right after it; after gc() ${SETTLE_MS} ms later, for the collector frees in the background.`,
        'Random half: 128 MB were put in and every second blob deleted before; then 64 MB are asked for. Holes come first, and what they cannot give is dropped. The Map deletes 64 MB as well, which is all it has left.',
      ],
    };
  },
};

async function fromSlabs(sizes: Sizes, { random, heap }: { random: Random; heap: Heap }): Promise<Outcome> {
  using budget = new Budget({ limitBytes: 1024 * MIB, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
  let oldest = 0;
  const handles: SlabHandle[] = [];
  using holder = new SlabBytes({
    budget,
    name: 'blobs',
    priority: 5,
    drop({ targetBytes }) {
      for (let bytes = 0; bytes < targetBytes && oldest < handles.length; oldest++) {
        bytes += holder.allocator.bytesOf(handles[oldest]!);
        holder.allocator.free(handles[oldest]!);
      }
    },
  });
  for (const blob of blobs(sizes.heldBytes, random)) handles.push(holder.allocator.put(blob));
  if (heap === 'fragmented') {
    shuffle(handles, random);
    for (const handle of handles.splice(0, handles.length / 2)) holder.allocator.free(handle);
  }
  const before = residentBytes();
  const started = performance.now();
  const { accountedBytes } = await budget.reclaim({
    targetBytes: sizes.wantedBytes,
    level: 'high',
    deadlineMs: 10_000,
  });
  const ms = performance.now() - started;
  return { ms, accountedBytes, dropBytes: before - residentBytes() };
}

/** A Map of Buffers, the oldest of which are deleted. */
async function fromMap(sizes: Sizes, { random, collects }: { random: Random; collects: boolean }): Promise<Outcome> {
  const cache = new Map<number, Buffer>();
  for (const blob of blobs(sizes.heldBytes, random)) cache.set(cache.size, copyOf(blob));
  return deleting(cache, { wantedBytes: sizes.wantedBytes, collects });
}

/** A Map of Buffers of which a random half was deleted and collected; then the rest goes. */
async function fromHoles(sizes: Sizes, { random, collects }: { random: Random; collects: boolean }): Promise<Outcome> {
  const cache = new Map<number, Buffer>();
  for (const blob of blobs(sizes.heldBytes, random)) cache.set(cache.size, copyOf(blob));
  const keys = [...cache.keys()];
  shuffle(keys, random);
  for (const key of keys.splice(0, keys.length / 2)) cache.delete(key);
  globalThis.gc?.();
  await settled();
  return deleting(cache, { wantedBytes: sizes.wantedBytes, collects });
}

async function deleting(
  cache: Map<number, Buffer>,
  { wantedBytes, collects }: { wantedBytes: number; collects: boolean },
): Promise<Outcome> {
  const before = residentBytes();
  const started = performance.now();
  let accountedBytes = 0;
  for (const [key, blob] of cache) {
    if (accountedBytes >= wantedBytes) break;
    accountedBytes += blob.length;
    cache.delete(key);
  }
  if (collects) globalThis.gc?.();
  const ms = performance.now() - started;
  if (collects) await settled();
  const dropBytes = before - residentBytes();
  cache.clear();
  return { ms, accountedBytes, dropBytes };
}

/** One buffer over and over, with another length. */
function* blobs(totalBytes: number, random: Random): Generator<Buffer> {
  const full = Buffer.alloc(BLOB_BYTES.high, 7);
  for (let bytes = 0; bytes < totalBytes; ) {
    const blob = full.subarray(0, randomInteger(random, BLOB_BYTES));
    bytes += blob.length;
    yield blob;
  }
}

function copyOf(blob: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(blob.length);
  blob.copy(copy);
  return copy;
}

function shuffle<T>(items: T[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = randomInteger(random, { low: 0, high: at + 1 });
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
}

/** From the kernel, in pages; elsewhere what the runtime says. */
function residentBytes(): number {
  try {
    return Number(readFileSync('/proc/self/statm', 'utf8').split(' ')[1]) * 4096;
  } catch {
    return process.memoryUsage.rss();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

function figure(ms: number): number {
  return Math.round(ms * 10) / 10;
}
