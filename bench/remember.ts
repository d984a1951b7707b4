/** What does durability cost: remembering one by one and in batches, against bare SQLite doing the same writes? */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newMemory, type RememberItem } from '../src/agent-memory/memory-input.ts';
import { Tenure } from '../src/platform/tenure.ts';
import type { NewMemory } from '../src/storage/memory-store.ts';
import { type Connection, loadDriver } from '../src/storage/sqlite/driver.ts';
import { INSERT_MEMORY, insertParameters } from '../src/storage/sqlite/memory-rows.ts';
import { migrations } from '../src/storage/sqlite/migrations.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

const BATCH = 500;

export const bench: Bench = {
  name: 'remember',
  question:
    'How many memories a second become durable, and how does that compare with bare SQLite doing the same writes?',
  async run({ small }) {
    const rounds = small ? 1 : 7;
    const singles = small ? 50 : 1000;
    const batches = small ? 1 : 10;
    const rates = {
      tenureOne: [] as number[],
      bareOne: [] as number[],
      tenureBatch: [] as number[],
      bareBatch: [] as number[],
    };
    // Alternately, in one process, so that both meet the same disk and the same noise.
    for (let round = 0; round < rounds; round++) {
      const items = Array.from({ length: singles + batches * BATCH }, (_, index) => item(index));
      const one = items.slice(0, singles);
      const many = items.slice(singles);
      await inFolder(async (directory) => {
        await using tenure = await Tenure.open({ directory });
        rates.tenureOne.push(
          await rate(one.length, async () => {
            for (const { text, ...options } of one) await tenure.memory.remember(text, options);
          }),
        );
        rates.tenureBatch.push(
          await rate(many.length, async () => {
            for (let done = 0; done < many.length; done += BATCH)
              await tenure.memory.rememberAll(many.slice(done, done + BATCH));
          }),
        );
      });
      await inFolder(async (directory) => {
        const bare = await BareSqlite.open(join(directory, 'bare.db'));
        rates.bareOne.push(
          await rate(one.length, async () => {
            for (const single of one) bare.write([newMemory(single, Date.now())]);
          }),
        );
        rates.bareBatch.push(
          await rate(many.length, async () => {
            for (let done = 0; done < many.length; done += BATCH) {
              bare.write(many.slice(done, done + BATCH).map((each) => newMemory(each, Date.now())));
            }
          }),
        );
        bare.close();
      });
    }
    const row = (name: string, tenure: readonly number[], bare: readonly number[]) => {
      const ratios = bare.map((rate, index) => rate / tenure[index]!);
      return [name, Math.round(median(tenure)), Math.round(median(bare)), median(ratios).toFixed(2)];
    };
    return {
      columns: ['writes', 'Tenure per s', 'bare SQLite per s', 'time against bare (median of pairs)'],
      rows: [
        row('one by one, each durable', rates.tenureOne, rates.bareOne),
        row(`batches of ${BATCH}`, rates.tenureBatch, rates.bareBatch),
      ],
      notes: [
        'Bare SQLite: the same rows by the same prepared statements in hand-written transactions, write-ahead log, synchronous=FULL, the same analysis of the text; no queue, no checks, no events, and no text index.',
        'Floor: within 2 times of bare SQLite. Aim: 1.3, not reached. In a batch most of the difference is the text index (8 of 10 µs a memory, profiled); one by one it is a turn of the event loop to gather what is asked for together, two more pages for the counters, and three looks whether the files are still ours.',
        `${rounds} rounds of ${singles} single writes and ${batches} batches, alternately.`,
      ],
    };
  },
};

class BareSqlite {
  readonly #connection: Connection;
  readonly #insert;
  #ordinal = 0;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#insert = connection.prepare(INSERT_MEMORY);
  }

  static async open(path: string): Promise<BareSqlite> {
    const { DatabaseSync } = await loadDriver();
    const connection = new DatabaseSync(path, {});
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    for (const { sql } of migrations) connection.exec(sql);
    connection.exec(`INSERT INTO partitions (id, tenant, agent, user) VALUES (1, 'bench', '', '')`);
    return new BareSqlite(connection);
  }

  write(items: readonly NewMemory[]): void {
    this.#connection.exec('BEGIN IMMEDIATE');
    for (const item of items) {
      const placement = { partitionId: 1, ordinal: this.#ordinal++, sessionId: null, speakerId: null };
      this.#insert.run(...insertParameters(item, placement));
    }
    this.#connection.exec('COMMIT');
  }

  close(): void {
    this.#connection.close();
  }
}

function item(index: number): RememberItem {
  const text = `Customer ${index} asked about invoice ${index * 7} and prefers answers in the morning, before the ${index % 24} o'clock call.`;
  return { text, scope: { tenant: 'bench' }, metadata: { channel: 'mail' } };
}

async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (count / (performance.now() - started)) * 1000;
}

async function inFolder(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tenure-remember-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
