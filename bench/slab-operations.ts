/** What does a block in a slab cost to make, read and replace, against a Buffer of its own? */
import { type Random, randomInteger, seededRandom } from '../src/base/random.ts';
import type { SlabHandle } from '../src/base/slabs/block-table.ts';
import { SlabAllocator } from '../src/base/slabs/slab-allocator.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

const SIZES = [64, 1_000, 8_000];
const OPERATIONS = [
  'put (a copy)',
  'read (a copy into a buffer)',
  'look (the first byte in place)',
  'replace one at random',
] as const;

/** Nanoseconds of each operation, in the order above. */
type Timings = readonly [number, number, number, number];

export const bench: Bench = {
  name: 'slab-operations',
  question: 'What do the operations on a block in a slab cost, against Buffer.allocUnsafeSlow?',
  async run({ small }) {
    const runs = small ? 2 : 7;
    const rows: (string | number)[][] = [];
    for (const bytes of SIZES) {
      const count = Math.min(small ? 2_000 : 100_000, Math.floor((small ? 4e6 : 128e6) / bytes));
      const slabs: Timings[] = [];
      const buffers: Timings[] = [];
      for (let run = -1; run < runs; run++) {
        const inSlabs = timeSlabs({ bytes, count }, seededRandom(run));
        globalThis.gc?.();
        const inBuffers = timeBuffers({ bytes, count }, seededRandom(run));
        globalThis.gc?.();
        if (run < 0) continue;
        slabs.push(inSlabs);
        buffers.push(inBuffers);
      }
      for (const [at, operation] of OPERATIONS.entries()) {
        const ours = median(slabs.map((timings) => timings[at]!));
        const theirs = median(buffers.map((timings) => timings[at]!));
        rows.push([operation, bytes, Math.round(ours), Math.round(theirs), `${(theirs / ours).toFixed(1)}×`]);
      }
    }
    return {
      columns: ['operation', 'bytes', 'slab, ns', 'Buffer, ns', 'faster by'],
      rows,
      notes: [
        `${runs} runs by turns, medians; up to 100,000 blocks or 128 MB at a time. Garbage collections fall into the time in which they happen. Putting into a slab for the first time has the system hand over its pages.`,
      ],
    };
  },
};

interface Load {
  readonly bytes: number;
  readonly count: number;
}

function timeSlabs({ bytes, count }: Load, random: Random): Timings {
  using allocator = new SlabAllocator();
  const source = Buffer.alloc(bytes, 7);
  const target = Buffer.alloc(bytes);
  const handles: SlabHandle[] = [];
  const put = timed(count, () => void handles.push(allocator.put(source)));
  const read = timed(count, (index) => void allocator.copyOut(handles[index]!, target));
  let sum = 0;
  const look = timed(count, (index) => {
    sum += allocator.view(handles[index]!)[0]!;
  });
  if (sum !== 7 * count) throw new Error('A block held other bytes than were put.');
  const replace = timed(count, () => {
    const at = randomInteger(random, { low: 0, high: count });
    allocator.free(handles[at]!);
    handles[at] = allocator.put(source);
  });
  return [put, read, look, replace];
}

function timeBuffers({ bytes, count }: Load, random: Random): Timings {
  const source = Buffer.alloc(bytes, 7);
  const target = Buffer.alloc(bytes);
  const copy = () => {
    const buffer = Buffer.allocUnsafeSlow(bytes);
    source.copy(buffer);
    return buffer;
  };
  const buffers: Buffer[] = [];
  const put = timed(count, () => void buffers.push(copy()));
  const read = timed(count, (index) => void buffers[index]!.copy(target));
  let sum = 0;
  const look = timed(count, (index) => {
    sum += buffers[index]![0]!;
  });
  if (sum !== 7 * count) throw new Error('A buffer held other bytes than were put.');
  const replace = timed(count, () => {
    buffers[randomInteger(random, { low: 0, high: count })] = copy();
  });
  return [put, read, look, replace];
}

function timed(count: number, operation: (index: number) => void): number {
  const started = performance.now();
  for (let index = 0; index < count; index++) operation(index);
  return ((performance.now() - started) * 1e6) / count;
}
