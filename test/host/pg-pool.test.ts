/** `tenure/pg` against a real PostgreSQL. */
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../src/budget/budget.ts';
import type { PoolEvent } from '../../src/holders/pool/pool-events.ts';
import { PgPool, type PgPoolOptions } from '../../src/integrations/pg.ts';
import { PostgresServer } from './postgres-server.ts';

let server: PostgresServer;
let budget: Budget;
let events: PoolEvent[];
const pools: PgPool[] = [];

beforeAll(async () => {
  server = await PostgresServer.start();
  await using pool = new PgPool({ connection: server.connectionString });
  await pool.query('DROP TABLE IF EXISTS tenure_accounts');
  await pool.query('CREATE TABLE tenure_accounts (name text PRIMARY KEY, credit int NOT NULL CHECK (credit >= 0))');
});
afterAll(() => server?.[Symbol.asyncDispose]());
beforeEach(async () => {
  budget = new Budget({ name: 'node', limitBytes: 2 ** 26 });
  events = [];
  await using pool = new PgPool({ connection: server.connectionString });
  await pool.query('TRUNCATE tenure_accounts');
  await pool.query("INSERT INTO tenure_accounts VALUES ('ann', 10), ('bob', 0)");
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close({ timeoutMs: 0 })));
  expect(budget.reservedBytes).toBe(0);
  expect(budget.close().leakedBytes).toBe(0);
});

function poolOf(options: PgPoolOptions = {}): PgPool {
  const emit = (event: PoolEvent) => void events.push(event);
  const pool = new PgPool({
    name: `database${pools.length || ''}`,
    connection: server.connectionString,
    budget,
    emit,
    ...options,
  });
  pools.push(pool);
  return pool;
}

const pidOf = async (pool: PgPool) => (await pool.query('SELECT pg_backend_pid() AS pid')).rows[0]?.['pid'] as number;
const creditOf = async (pool: PgPool, name: string) =>
  (await pool.query('SELECT credit FROM tenure_accounts WHERE name = $1', [name])).rows[0]?.['credit'];
/** Resolves when `condition` holds; fails after ten seconds. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500; round++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('It did not come to that in ten seconds.');
}

describe('connections', () => {
  it('are shared, at most 20 by default, and counted in the budget', async () => {
    const pool = poolOf();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        pool.query<{ n: number }>('SELECT $1::int AS n, pg_sleep(0.002)', [index]),
      ),
    );
    expect(answers.map(({ rows }) => rows[0]!.n)).toEqual(Array.from({ length: 200 }, (_, index) => index));
    const { size, max, bytes, borrows } = pool.statistics();
    expect({ max, borrows }).toEqual({ max: 20, borrows: 200 });
    expect(size).toBeLessThanOrEqual(20);
    expect(bytes).toBe(size * 131_072);
  });

  it('that are idle are closed when the budget asks', async () => {
    const pool = poolOf({ max: 4 });
    await Promise.all(Array.from({ length: 8 }, () => pool.query('SELECT pg_sleep(0.01)')));
    const { size } = pool.statistics();
    const { accountedBytes } = await budget.reclaim({ targetBytes: 2 ** 26, level: 'high' });
    expect(accountedBytes).toBeGreaterThanOrEqual(size * 131_072);
    expect(pool.statistics()).toMatchObject({ size: 0, destroyed: expect.objectContaining({ reclaim: size }) });
    expect(await creditOf(pool, 'ann')).toBe(10);
  });

  it('that the server ends while idle leave the pool, and the next gets a good one', async () => {
    const pool = poolOf();
    const admin = poolOf();
    const pid = await pidOf(pool);
    await admin.query('SELECT pg_terminate_backend($1)', [pid]);
    await until(() => pool.statistics().size === 0);
    expect(pool.statistics().destroyed.broken).toBe(1);
    expect(await pidOf(pool)).not.toBe(pid);
  });

  it('that the server ends under a query are never lent again', async () => {
    const pool = poolOf({ max: 1 });
    const admin = poolOf();
    const pid = await pidOf(pool);
    const sleeping = pool.query('SELECT pg_sleep(20)').catch((error: { code?: string; message: string }) => error);
    await until(
      async () =>
        (await admin.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = $2', [pid, 'active']))
          .rowCount === 1,
    );
    await admin.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(await sleeping).toMatchObject({ message: expect.stringMatching(/terminat/) });
    expect(await pidOf(pool)).not.toBe(pid);
    expect(pool.statistics().size).toBe(1);
  });

  it('that went silent are found by the check, and replaced', async () => {
    await using proxy = await SilentProxy.start(server.connectionString);
    const pool = poolOf({
      connection: proxy.connectionString,
      max: 1,
      checkAfterIdleMs: 0,
      checkTimeoutMs: 300,
      destroyTimeoutMs: 300,
    });
    const pid = await pidOf(pool);
    proxy.isSilent = true;
    const next = pidOf(pool);
    await until(() => events.some(({ type }) => type === 'pool.check_failed'));
    proxy.isSilent = false;
    expect(await next).not.toBe(pid);
    expect(pool.statistics()).toMatchObject({ checkErrors: 1, size: 1 });
  });

  it('that cannot be made are told with the cause, soon', async () => {
    const pool = poolOf({ connection: 'postgres://tenure@127.0.0.1:1/postgres', createAttempts: 2, backoffMs: 10 });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({
      code: 'POOL_CREATE_FAILED',
      cause: { code: 'ECONNREFUSED' },
    });
  });
});

describe('what comes back', () => {
  it('is rolled back when a transaction is left open', async () => {
    const pool = poolOf({ max: 1 });
    await pool.use(async (client) => {
      await client.query('BEGIN');
      await client.query("UPDATE tenure_accounts SET credit = 99 WHERE name = 'ann'");
    });
    expect(await creditOf(pool, 'ann')).toBe(10);
    expect(pool.statistics().created).toBe(1);
  });

  it('keeps its settings by default, and is as new with discard, named statements aside', async () => {
    for (const [onReturn, expected] of [
      ['rollback', 'hand-made'],
      ['discard', 'tenure'],
    ] as const) {
      const pool = poolOf({ max: 1, onReturn });
      const named = { name: 'one', text: 'SELECT 1 AS one' };
      await pool.use(async (client) => {
        await client.query("SET application_name = 'hand-made'");
        await client.query('CREATE TEMP TABLE mine (n int)');
        await client.query(named);
      });
      expect((await pool.query('SHOW application_name')).rows[0]?.['application_name']).toBe(expected);
      const mine = (await pool.query("SELECT to_regclass('pg_temp.mine') AS found")).rows[0]?.['found'];
      expect(mine === null).toBe(onReturn === 'discard');
      expect((await pool.query(named)).rows).toEqual([{ one: 1 }]);
      expect(pool.statistics()).toMatchObject({ created: 1, checkErrors: 0 });
    }
  });

  it('is destroyed when it cannot be cleaned in time', async () => {
    const pool = poolOf({ max: 1, checkTimeoutMs: 200 });
    await pool.use(async (client) => {
      await client.query('BEGIN');
      void client.query('SELECT pg_sleep(20)').catch(() => {});
    });
    expect(await creditOf(pool, 'ann')).toBe(10);
    expect(pool.statistics().destroyed.reset).toBe(1);
  });
});

describe('a transaction', () => {
  it('commits what it returns from, and rolls back what throws', async () => {
    const pool = poolOf();
    const moved = await pool.transaction(async (client) => {
      await client.query("UPDATE tenure_accounts SET credit = credit - 4 WHERE name = 'ann'");
      await client.query("UPDATE tenure_accounts SET credit = credit + 4 WHERE name = 'bob'");
      return 4;
    });
    expect([moved, await creditOf(pool, 'ann'), await creditOf(pool, 'bob')]).toEqual([4, 6, 4]);
    const failing = pool.transaction(async (client) => {
      await client.query("UPDATE tenure_accounts SET credit = credit + 5 WHERE name = 'bob'");
      await client.query("UPDATE tenure_accounts SET credit = credit - 50 WHERE name = 'ann'");
    });
    await expect(failing).rejects.toMatchObject({ code: '23514' });
    expect([await creditOf(pool, 'ann'), await creditOf(pool, 'bob')]).toEqual([6, 4]);
  });

  it('says so when the server rolled back instead of committing', async () => {
    const pool = poolOf();
    const swallowing = pool.transaction(async (client) => {
      await client.query("UPDATE tenure_accounts SET credit = 7 WHERE name = 'bob'");
      await client.query('SELECT 1 / 0').catch(() => {});
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'PG_ROLLED_BACK' });
    expect(await creditOf(pool, 'bob')).toBe(0);
  });

  it('has the isolation it was asked for', async () => {
    const pool = poolOf();
    const options = { isolation: 'serializable', readOnly: true } as const;
    const shown = await pool.transaction(
      async (client) => (await client.query('SHOW transaction_isolation')).rows,
      options,
    );
    expect(shown).toEqual([{ transaction_isolation: 'serializable' }]);
    const writing = pool.transaction((client) => client.query('TRUNCATE tenure_accounts'), options);
    await expect(writing).rejects.toMatchObject({ code: '25006' });
    await expect(pool.transaction(() => 1, { isolation: 'dirty; DROP' as never })).rejects.toThrow('isolation');
  });

  it('that is called off rejects with the reason and takes its connection with it', async () => {
    const pool = poolOf({ max: 1 });
    const controller = new AbortController();
    const working = pool.transaction(
      async (client) => {
        await client.query("UPDATE tenure_accounts SET credit = 1 WHERE name = 'ann'");
        controller.abort(new Error('enough'));
        await client.query('SELECT pg_sleep(20)');
      },
      { signal: controller.signal },
    );
    await expect(working).rejects.toThrow('enough');
    expect(await creditOf(pool, 'ann')).toBe(10);
    expect(pool.statistics()).toMatchObject({ size: 1, created: 2, destroyed: expect.objectContaining({ broken: 1 }) });
    await expect(pool.query('SELECT 1', [], { signal: controller.signal })).rejects.toThrow('enough');
  });
});

it('closes over a query that does not end', async () => {
  const pool = poolOf();
  const sleeping = pool.query('SELECT pg_sleep(20)').catch(() => 'ended');
  await until(() => pool.statistics().borrowed === 1);
  expect(await pool.close({ timeoutMs: 100 })).toMatchObject({ leases: 1 });
  expect(await sleeping).toBe('ended');
});

/** Stands between client and server, and can go silent as a broken network does. */
class SilentProxy implements AsyncDisposable {
  isSilent = false;
  readonly connectionString: string;
  readonly #close: () => void;

  private constructor(connectionString: string, close: () => void) {
    this.connectionString = connectionString;
    this.#close = close;
  }

  static async start(target: string): Promise<SilentProxy> {
    const url = new URL(target);
    const upstreamPort = Number(url.port);
    const sockets = new Set<Socket>();
    let proxy: SilentProxy | undefined;
    const listener = createServer((client) => {
      const upstream = connect(upstreamPort, url.hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        // What was connected before the silence stays silent.
        let isCut = false;
        from.on('data', (chunk) => {
          isCut ||= proxy?.isSilent === true;
          if (!isCut) to.write(chunk);
        });
        from.on('close', () => to.destroy());
        from.on('error', () => {});
      }
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    url.port = String((listener.address() as { port: number }).port);
    proxy = new SilentProxy(url.href, () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}
