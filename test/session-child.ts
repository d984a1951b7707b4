/**
 * A process that changes sessions without end, driven by its arguments `<path> <name>`: twenty writers, each with a session of its own and
 * all on one that every process shares. Prints each change once it is acknowledged: the session, the version, and what was appended.
 */
import { writeSync } from 'node:fs';
import { MIB } from '../src/base/bytes.ts';
import { systemClock } from '../src/base/clock.ts';
import { seededRandom } from '../src/base/random.ts';
import { Budget } from '../src/budget/budget.ts';
import { SessionConflictError } from '../src/holders/session/session-errors.ts';
import { SessionPool } from '../src/holders/session/session-pool.ts';
import { SqliteDatabase } from '../src/storage/sqlite/connection.ts';
import { SqliteSessionStore } from '../src/storage/sqlite/session-store.ts';

const WRITERS = 20;
const SHARED = 'shared';

const [path, name] = process.argv.slice(2) as [string, string];
const database = await SqliteDatabase.open({
  ...{ path, clock: systemClock, random: seededRandom(process.pid), lockTimeoutMs: 60_000 },
  onEvent: () => {},
});
const pool = new SessionPool<{ n: number }, string>({
  store: new SqliteSessionStore(database, { pool: 'sessions' }),
  budget: new Budget({ limitBytes: 64 * MIB }),
  // Few, so that sessions leave memory and come back all the time.
  max: 8,
});

const print = (...words: readonly (string | number)[]) => void writeSync(1, `${words.join(' ')}\n`);

async function writer(number: number): Promise<never> {
  const id = `${name}.${number}`;
  await pool.create({ n: 0 }, { id });
  for (let n = 1; ; n++) {
    const { version } = await pool.update(id, { n });
    print(id, version, '-');
    await pool.append(id, [`${id}/${n}`]);
    print(id, version + 1, `${id}/${n}`);
    const shared = await pool.append(SHARED, [`${id}/${n}`], { keepLast: 100_000 });
    print(SHARED, shared.version, `${id}/${n}`);
  }
}

await pool.create({ n: 0 }, { id: SHARED }).catch((error: unknown) => {
  if (!(error instanceof SessionConflictError)) throw error;
});
await Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
