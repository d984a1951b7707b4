/** What does keeping the books cost: growing and shrinking, being refused, growing by reclaim, taking a snapshot? */
import { Budget } from '../src/budget/budget.ts';
import { ScriptedConsumer } from '../src/testing/scripted-consumer.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

const LIMIT_BYTES = 2 ** 30;

export const bench: Bench = {
  name: 'budget',
  question: 'What do the operations of the budget cost?',
  async run({ small }) {
    const runs = small ? 3 : 15;
    const rows: (string | number)[][] = [];
    const row = (name: string, nanoseconds: readonly number[]) =>
      rows.push([name, round(median(nanoseconds)), round(Math.min(...nanoseconds))]);

    for (const depth of [1, 2, 4]) {
      const { root, leaf } = tree(depth);
      const { reservation } = new ScriptedConsumer(leaf);
      row(
        `tryGrow and shrink, ${depth} ${depth === 1 ? 'budget' : 'budgets'} deep`,
        await timed(runs, small ? 50_000 : 500_000, () => {
          reservation.tryGrow(4096);
          reservation.shrink(4096);
        }),
      );
      root.close();
    }
    {
      const { root, leaf } = tree(2);
      const { reservation } = new ScriptedConsumer(leaf, { bytes: LIMIT_BYTES });
      row(
        'tryGrow refused, 2 budgets deep',
        await timed(runs, small ? 50_000 : 500_000, () => void reservation.tryGrow(4096)),
      );
      root.close();
    }
    {
      const { root, leaf } = tree(1);
      const cache = new ScriptedConsumer(leaf, { name: 'cache', bytes: LIMIT_BYTES });
      const { reservation } = new ScriptedConsumer(leaf, { name: 'grower' });
      row(
        'grow with reclaim of one consumer',
        await timed(runs, small ? 500 : 5_000, async () => {
          await reservation.grow(4096);
          cache.requests.length = 0;
          reservation.shrink(4096);
          await cache.reservation.grow(4096);
        }),
      );
      root.close();
    }
    {
      const { root, leaf } = tree(2);
      for (let index = 0; index < 20; index++) new ScriptedConsumer(leaf, { name: `consumer-${index}`, bytes: 4096 });
      row('snapshot of 20 consumers', await timed(runs, small ? 1_000 : 10_000, () => void root.snapshot()));
      root.close();
    }
    return {
      columns: ['operation', 'ns, median of runs', 'ns, fastest run'],
      rows,
      notes: [
        `${runs} runs after two to warm up. A machine that does other work as well shows in the median, not in the fastest run.`,
      ],
    };
  },
};

/** A chain of `depth` budgets, the last of which holds the consumers. */
function tree(depth: number): { root: Budget; leaf: Budget } {
  const root = new Budget({ name: 'root', limitBytes: LIMIT_BYTES, regrowthBytesPerSecond: Number.POSITIVE_INFINITY });
  let leaf = root;
  for (let level = 1; level < depth; level++) leaf = leaf.child({ name: `level-${level}` });
  return { root, leaf };
}

/** Nanoseconds of one `operation` in each of `runs` runs. */
async function timed(runs: number, operations: number, operation: () => void | Promise<void>): Promise<number[]> {
  const nanoseconds: number[] = [];
  for (let run = -2; run < runs; run++) {
    const started = performance.now();
    for (let index = 0; index < operations; index++) {
      const pending = operation();
      if (pending !== undefined) await pending;
    }
    if (run >= 0) nanoseconds.push(((performance.now() - started) * 1e6) / operations);
  }
  return nanoseconds;
}

function round(nanoseconds: number): number {
  return nanoseconds < 100 ? Math.round(nanoseconds * 10) / 10 : Math.round(nanoseconds);
}
