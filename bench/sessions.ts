/** What do sessions cost that survive the process: against a map in memory, and against one file for each session? */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GIB, KIB } from '../src/base/bytes.ts';
import { systemClock } from '../src/base/clock.ts';
import { seededRandom } from '../src/base/random.ts';
import { Budget } from '../src/budget/budget.ts';
import { SessionPool } from '../src/holders/session/session-pool.ts';
import { SqliteDatabase } from '../src/storage/sqlite/connection.ts';
import { SqliteSessionStore } from '../src/storage/sqlite/session-store.ts';
import { median } from './data/percentile.ts';
import { loadRival } from './rivals/load.ts';
import type { Bench } from './table.ts';

const SESSIONS = 100;
const MESSAGE = 'Can you tell me when the invoice of last month is due, and whether it was paid? '.repeat(12);
/** A session of 2 KB, and a conversation of 200 KB. */
const SMALL = {
  cookie: {},
  user: 'ann',
  cart: Array.from({ length: 20 }, (_, index) => ({ sku: `sku-${index}`, text: MESSAGE.slice(0, 60) })),
};
const CONVERSATION = Array.from({ length: 200 }, (_, index) => ({
  role: index % 2 ? 'assistant' : 'user',
  text: MESSAGE,
}));
const TURN = { role: 'user', text: MESSAGE };

/** The part of the store contract of `express-session` that is measured. */
interface RivalStore {
  get(id: string, callback: (error: unknown, session?: unknown) => void): void;
  set(id: string, session: unknown, callback: (error: unknown) => void): void;
}

type Operation = (index: number) => Promise<unknown>;

export const bench: Bench = {
  name: 'sessions',
  question:
    'What do sessions cost that survive the process, against a map in memory and against a file for each session?',
  async run({ small }) {
    const rounds = small ? 2 : 9;
    const folder = await mkdtemp(join(tmpdir(), 'tenure-sessions-'));
    const contestants = await contestantsIn(folder);
    try {
      const rows: (string | number)[][] = [];
      for (const { name, many, count, of } of OPERATIONS) {
        const operations = small ? Math.max(10, count / 20) : count;
        const measured = contestants.map((): number[] => []);
        // Alternately, in one process, so that all meet the same disk and the same noise; the first round warms up.
        for (let round = -1; round < rounds; round++) {
          for (const [index, contestant] of contestants.entries()) {
            const micros = await timed(of(contestant), operations, many);
            if (round >= 0) measured[index]!.push(micros);
          }
        }
        rows.push([name, ...measured.map((micros) => shown(median(micros)))]);
      }
      const { logBytesOf, append, updateLarge } = contestants[0]!;
      const turnKb = Math.round((await logBytesOf!(append)) / KIB);
      const wholeKb = Math.round((await logBytesOf!(updateLarge)) / KIB);
      return {
        columns: ['operation (µs each)', ...contestants.map(({ name }) => name)],
        rows,
        notes: [
          `Sessions of 2 KB; the conversation has 200 messages, 200 KB as JSON. Medians of ${rounds} rounds, alternately. The store of files forces each to the disk before it answers (write-file-atomic), the map nothing; Tenure forces its log, for all writes that came together at once.`,
          `A turn appended to the conversation writes ${turnKb} KB of log, the conversation as one value ${wholeKb} KB.`,
          'Live: the session is in memory; spilled: it was not used for long and is read from the disk. express-session with its MemoryStore and session-file-store hold JSON and parse it for each get; a live session of the pool is a frozen object.',
          'Aim: a live session no dearer than in the map, a spilled one no dearer than a file, a durable change at a small part of what a file costs.',
        ],
      };
    } finally {
      for (const contestant of contestants) await contestant.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
};

interface Contestant {
  readonly name: string;
  readonly live: Operation;
  readonly spilled: Operation;
  readonly update: Operation;
  readonly append: Operation;
  readonly updateLarge: Operation;
  /** What one of its operations adds to the log of the store. */
  readonly logBytesOf?: (operation: Operation) => Promise<number>;
  close(): Promise<void>;
}

const OPERATIONS: readonly { name: string; many: number; count: number; of: (contestant: Contestant) => Operation }[] =
  [
    { name: 'get of a live session', many: 1, count: 4_000, of: ({ live }) => live },
    { name: 'get of a spilled session', many: 1, count: 1_000, of: ({ spilled }) => spilled },
    { name: 'change of a session, durable', many: 1, count: 400, of: ({ update }) => update },
    { name: 'change of a session, durable, 50 at once', many: 50, count: 2_000, of: ({ update }) => update },
    { name: 'a turn more in a conversation of 200 KB', many: 1, count: 200, of: ({ append }) => append },
  ];

async function contestantsIn(folder: string): Promise<Contestant[]> {
  const session = await loadRival<{ default: { MemoryStore: new () => RivalStore; Store: unknown } }>(
    'express-session',
  );
  const { default: files } = await loadRival<{ default: (session: unknown) => new (options: object) => RivalStore }>(
    'session-file-store',
  );
  const FileStore = files(session.default);
  const silent = { path: join(folder, 'files'), logFn: () => {}, retries: 0, reapInterval: -1, ttl: 86_400 };
  return [
    await pooled(folder, true),
    await pooled(folder, false),
    await rival('express-session MemoryStore', new session.default.MemoryStore()),
    await rival('session-file-store', new FileStore(silent)),
  ];
}

async function pooled(folder: string, isShared: boolean): Promise<Contestant> {
  const name = isShared ? 'Tenure' : 'Tenure, one process';
  const database = await SqliteDatabase.open({
    ...{ path: join(folder, `${isShared}.db`), clock: systemClock, random: seededRandom(1), onEvent: () => {} },
  });
  const budget = new Budget({ limitBytes: GIB });
  const store = new SqliteSessionStore(database, { pool: 'sessions' });
  const pool = new SessionPool({ store, budget, isShared });
  // Of another name in the budget, over the same sessions: with room for one it reads each from the disk.
  const cold = new SessionPool({ store, budget, name: 'cold', max: 1, isShared });
  for (let index = 0; index < SESSIONS; index++) await pool.create(SMALL, { id: `s${index}` });
  await pool.create(SMALL, { id: 'long', items: CONVERSATION });
  await pool.create({ turns: CONVERSATION }, { id: 'large' });
  return {
    name,
    live: (index) => pool.get(`s${index % SESSIONS}`),
    spilled: (index) => cold.get(`s${index % SESSIONS}`),
    update: (index) => pool.update(`s${index % SESSIONS}`, { ...SMALL, index }),
    append: () => pool.append('long', [TURN], { keepLast: CONVERSATION.length }),
    updateLarge: (index) => pool.update('large', { turns: CONVERSATION, index }),
    async logBytesOf(operation) {
      database.checkpoint();
      const before = database.sizeBytes();
      await operation(0);
      return database.sizeBytes() - before;
    },
    async close() {
      await cold.close();
      await pool.close();
      await database.close();
      budget.close();
    },
  };
}

async function rival(name: string, store: RivalStore): Promise<Contestant> {
  const get = (id: string) =>
    new Promise((resolve, reject) => store.get(id, (error, session) => (error ? reject(error) : resolve(session))));
  const set = (id: string, session: unknown) =>
    new Promise<void>((resolve, reject) => store.set(id, session, (error) => (error ? reject(error) : resolve())));
  for (let index = 0; index < SESSIONS; index++) await set(`s${index}`, SMALL);
  const conversation = { cookie: {}, turns: CONVERSATION };
  await set('long', conversation);
  return {
    name,
    live: (index) => get(`s${index % SESSIONS}`),
    spilled: (index) => get(`s${index % SESSIONS}`),
    update: (index) => set(`s${index % SESSIONS}`, { ...SMALL, index }),
    async append() {
      const { turns } = (await get('long')) as typeof conversation;
      await set('long', { cookie: {}, turns: [...turns, TURN].slice(-CONVERSATION.length) });
    },
    updateLarge: () => set('long', conversation),
    async close() {},
  };
}

/** Microseconds for each of `count` operations, `many` under way at once. */
async function timed(operation: Operation, count: number, many: number): Promise<number> {
  const started = performance.now();
  for (let done = 0; done < count; done += many) {
    if (many === 1) await operation(done);
    else await Promise.all(Array.from({ length: many }, (_, index) => operation(done + index)));
  }
  return ((performance.now() - started) * 1000) / count;
}

function shown(micros: number): number {
  return micros < 10 ? Math.round(micros * 10) / 10 : Math.round(micros);
}
