/** What does borrowing an object and returning it cost, beside the pools most used? */
import { ObjectPool } from '../src/holders/pool/object-pool.ts';
import type { PoolOptions } from '../src/holders/pool/pool-options.ts';
import { median } from './data/percentile.ts';
import { loadRival } from './rivals/load.ts';
import type { Bench } from './table.ts';

const FLOOR = 2;
const AIM = 5;
const OBJECTS = 10;

interface Thing {
  readonly isGood: boolean;
}

/** One pool, as its users use it. */
interface Contestant {
  acquire(): Promise<unknown>;
  giveBack(borrowed: never): unknown;
  close(): unknown;
}

interface TarnPool {
  acquire(): { promise: Promise<Thing> };
  release(thing: Thing): boolean;
  destroy(): Promise<void>;
}
interface GenericPool {
  acquire(): Promise<Thing>;
  release(thing: Thing): Promise<void>;
  drain(): Promise<void>;
  clear(): Promise<void>;
}
interface Rivals {
  readonly tarn: { Pool: new (options: object) => TarnPool };
  readonly generic: { createPool(factory: object, options: object): GenericPool };
}

/** What is switched on, for all that have it. */
interface Setting {
  readonly name: string;
  readonly workers: number;
  readonly checks: boolean;
}

const SETTINGS: readonly Setting[] = [
  { name: 'idle objects, one borrower', workers: 1, checks: false },
  { name: 'idle objects, one borrower, each borrow checked', workers: 1, checks: true },
  { name: '40 borrowers for 10 objects', workers: 40, checks: false },
  { name: '40 borrowers for 10 objects, each borrow checked', workers: 40, checks: true },
  { name: '1,000 borrowers for 10 objects', workers: 1_000, checks: false },
];

const create = async (): Promise<Thing> => ({ isGood: true });
const destroy = async (): Promise<void> => {};

export const bench: Bench = {
  name: 'pool',
  question: 'What does borrowing an object and returning it cost, beside tarn and generic-pool?',
  async run({ small }) {
    const runs = small ? 3 : 9;
    const operations = small ? 5_000 : 100_000;
    const rivals: Rivals = {
      tarn: (await loadRival<{ default: Rivals['tarn'] }>('tarn')).default,
      generic: (await loadRival<{ default: Rivals['generic'] }>('generic-pool')).default,
    };
    const rows: (string | number)[][] = [];
    for (const setting of SETTINGS) {
      const contestants = [ours(setting), tarn(rivals, setting), generic(rivals, setting)];
      const times: number[][] = contestants.map(() => []);
      for (let run = -1; run < runs; run++) {
        for (const [index, contestant] of contestants.entries()) {
          const nanoseconds = await timed(contestant, { operations, workers: setting.workers });
          if (run >= 0) times[index]!.push(nanoseconds);
        }
      }
      for (const contestant of contestants) await contestant.close();
      const [own, ofTarn, ofGeneric] = times.map(median) as [number, number, number];
      const ratios = [ofTarn / own, ofGeneric / own];
      const least = Math.min(...ratios);
      const verdict = least >= AIM ? 'aim' : least >= FLOOR ? 'floor' : 'below';
      rows.push([setting.name, ...[own, ofTarn, ofGeneric].map(Math.round), ...ratios.map(tenths), verdict]);
    }
    return {
      columns: [
        'case',
        'Tenure, ns',
        'tarn, ns',
        'generic-pool, ns',
        'against tarn',
        'against generic-pool',
        'reached',
      ],
      rows,
      notes: [
        `Medians of ${runs} runs of ${operations.toLocaleString('en')} borrows and returns, the pools in turn; every pool has ${OBJECTS} objects. ` +
          `Floor ${FLOOR} times as fast as each rival, aim ${AIM} times.`,
        'All have time-outs for waiting, creating and destroying; tarn checks with a synchronous function only, the others asynchronously.',
        ...(await ownCosts({ runs, operations })),
      ],
    };
  },
};

/** What the options that only this pool has add. */
async function ownCosts(size: { runs: number; operations: number }): Promise<string[]> {
  const variants: [string, Partial<PoolOptions<Thing>>][] = [
    ['no borrow noted', { trackBorrowers: false }],
    ['one borrow in 256 noted (default)', {}],
    ['every borrow noted', { trackBorrowers: true }],
    ['abandoned leases not watched', { watchAbandoned: false }],
  ];
  const pools = variants.map(([, options]) => ours({ name: '', workers: 1, checks: false }, options));
  const times: number[][] = pools.map(() => []);
  for (let run = -1; run < size.runs; run++) {
    for (const [index, pool] of pools.entries()) {
      const nanoseconds = await timed(pool, { operations: size.operations, workers: 1 });
      if (run >= 0) times[index]!.push(nanoseconds);
    }
  }
  for (const pool of pools) await pool.close();
  const told = variants.map(([name], index) => `${name} ${Math.round(median(times[index]!))} ns`);
  return [`With one borrower: ${told.join(', ')}.`];
}

function ours({ checks }: Setting, options: Partial<PoolOptions<Thing>> = {}): Contestant {
  const pool = new ObjectPool<Thing>({
    ...{ name: 'bench', max: OBJECTS, maxWaiting: 10_000, create, destroy },
    ...(checks && { check: async (thing: Thing) => thing.isGood, checkAfterIdleMs: 0 }),
    ...options,
  });
  return {
    acquire: () => pool.acquire(),
    giveBack: (lease: { release(): void }) => lease.release(),
    close: () => pool.close(),
  };
}

function tarn({ tarn: { Pool } }: Rivals, { checks }: Setting): Contestant {
  const validate = checks ? (thing: Thing) => thing.isGood : undefined;
  const pool = new Pool({ min: 0, max: OBJECTS, create, destroy, ...(validate && { validate }) });
  return {
    acquire: () => pool.acquire().promise,
    giveBack: (thing: Thing) => void pool.release(thing),
    close: () => pool.destroy(),
  };
}

function generic({ generic: { createPool } }: Rivals, { checks }: Setting): Contestant {
  const validate = async (thing: Thing) => thing.isGood;
  const timeouts = { acquireTimeoutMillis: 30_000, destroyTimeoutMillis: 5_000 };
  const pool = createPool(
    { create, destroy, validate },
    { min: 0, max: OBJECTS, maxWaitingClients: 10_000, testOnBorrow: checks, ...timeouts },
  );
  return {
    acquire: () => pool.acquire(),
    giveBack: (thing: Thing) => pool.release(thing),
    close: async () => {
      await pool.drain();
      await pool.clear();
    },
  };
}

/** Nanoseconds for one borrow and return; each worker holds its object for one turn of the microtask queue. */
async function timed(contestant: Contestant, size: { operations: number; workers: number }): Promise<number> {
  let left = size.operations;
  const work = async () => {
    while (left-- > 0) {
      const borrowed = (await contestant.acquire()) as never;
      if (size.workers > 1) await null;
      const returned = contestant.giveBack(borrowed);
      if (returned !== undefined) await returned;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: size.workers }, work));
  return ((performance.now() - started) * 1e6) / size.operations;
}

function tenths(ratio: number): number {
  return Math.round(ratio * 10) / 10;
}
