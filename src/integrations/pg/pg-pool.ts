/**
 * PostgreSQL connections of `pg` as a pool under the budget.
 *
 * A connection that reports an error, or ends, leaves the pool at once, whoever has it; one that has stood still is asked `SELECT 1` before it is
 * lent. When it comes back it is cleaned: an open transaction is rolled back, and with `discard` the whole session is as new. A query that is
 * called off takes its connection with it: the protocol has no way to leave a running statement and keep the line.
 */

import pg from 'pg';
import { listenForAbort } from '../../base/abort.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Lease } from '../../holders/pool/lease.ts';
import {
  type AcquireOptions,
  ObjectPool,
  type PoolCloseOptions,
  type PoolCloseReport,
} from '../../holders/pool/object-pool.ts';
import type { PoolSettings } from '../../holders/pool/pool-options.ts';
import type { PoolStatistics } from '../../holders/pool/pool-statistics.ts';
import { PgRolledBackError } from './rolled-back.ts';

/** Sockets, parser and buffers of one idle connection, as estimated. */
const CONNECTION_BYTES = 131_072;

const RESETS = ['rollback', 'discard', 'none'] as const;
/**
 * What is done to a connection that comes back. `rollback`: an open transaction is rolled back (no round trip when there is none). `discard`: that, and
 * settings, temporary tables, cursors, listens, advisory locks and cached plans are dropped as by `DISCARD ALL`, but named statements stay, for
 * the client remembers them. `none`: nothing.
 */
export type PgReset = (typeof RESETS)[number];

/** `DISCARD ALL` without `DEALLOCATE ALL`, in the words of its manual page. */
const DISCARD =
  'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); ' +
  'DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES';

/** What a `PgPool` is made of. */
export interface PgPoolOptions extends Partial<PoolSettings> {
  /** A connection string, or what `pg.Client` takes; by default the `PG*` environment. */
  readonly connection?: string | pg.ClientConfig;
  /** What is done to a connection that comes back; `rollback` by default. */
  readonly onReturn?: PgReset;
  /** What one connection takes in this process, as the budget is charged; 131,072 by default. */
  readonly bytesPerConnection?: number;
}

/** How a transaction begins. */
export interface PgTransactionOptions extends AcquireOptions {
  /** The server's default when unset. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable';
  readonly readOnly?: boolean;
}

const ISOLATIONS = ['read committed', 'repeatable read', 'serializable'];

/**
 * A pool of `pg` connections; 20 at most by default.
 *
 * @example
 * await using database = new PgPool({ connection: process.env.DATABASE_URL, budget });
 * const { rows } = await database.query('SELECT name FROM agents WHERE id = $1', [7]);
 */
export class PgPool implements AsyncDisposable {
  /** The pool itself: `acquire`, `tryAcquire`, `resize` and what else it can. */
  readonly pool: ObjectPool<pg.Client>;

  /**
   * Makes the pool; connections are opened when they are wanted.
   *
   * @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws.
   */
  constructor(options: PgPoolOptions = {}) {
    const { connection, onReturn = 'rollback', bytesPerConnection = CONNECTION_BYTES, ...settings } = options;
    if (!RESETS.includes(onReturn)) {
      throw new InvalidArgumentError('onReturn', `must be one of ${RESETS.join(', ')}; got ${String(onReturn)}.`);
    }
    const config = typeof connection === 'string' ? { connectionString: connection } : connection;
    const pool: ObjectPool<pg.Client> = new ObjectPool<pg.Client>({
      ...{ max: 20, ...settings, name: settings.name ?? 'database' },
      bytesPerObject: bytesPerConnection,
      create: (signal) => connect(config, { signal, onBroken: (client) => pool.discard(client) }),
      destroy: disconnect,
      check: async (client) => (await client.query('SELECT 1')).rows.length === 1,
      ...(onReturn !== 'none' && { reset: (client: pg.Client) => clean(client, onReturn) }),
    });
    this.pool = pool;
  }

  get name(): string {
    return this.pool.name;
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.pool.isClosed;
  }

  /**
   * Runs one statement on a connection of the pool. Called off by its signal it rejects with the signal's reason, and the connection is closed.
   *
   * @throws What `ObjectPool.acquire` throws, and the server's errors (`pg.DatabaseError`).
   */
  async query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string | pg.QueryConfig,
    values?: readonly unknown[],
    options?: AcquireOptions,
  ): Promise<pg.QueryResult<R>> {
    return this.use((client) => client.query<R>(text as string, values && [...values]), options);
  }

  /**
   * Borrows a connection for the length of `work`. Called off by its signal it rejects with the signal's reason, and the connection is closed.
   *
   * @throws What `ObjectPool.acquire` and `work` throw.
   */
  async use<R>(work: (client: pg.Client) => R | PromiseLike<R>, options?: AcquireOptions): Promise<R> {
    const lease = await this.pool.acquire(options);
    const { signal } = options ?? {};
    try {
      if (signal === undefined) return await work(lease.object);
      return await untilAborted(Promise.resolve(work(lease.object)), { signal, lease });
    } finally {
      lease[Symbol.dispose]();
    }
  }

  /**
   * Runs `work` in a transaction: committed when it resolves, rolled back when it throws, and its error is thrown on.
   *
   * @throws PgRolledBackError when the server rolled back instead of committing; what `use` throws; InvalidArgumentError.
   */
  async transaction<R>(
    work: (client: pg.Client) => R | PromiseLike<R>,
    options: PgTransactionOptions = {},
  ): Promise<R> {
    const { isolation, readOnly = false } = options;
    if (isolation !== undefined && !ISOLATIONS.includes(isolation)) {
      throw new InvalidArgumentError('isolation', `must be one of ${ISOLATIONS.join(', ')}; got ${String(isolation)}.`);
    }
    const begin = `BEGIN${isolation ? ` ISOLATION LEVEL ${isolation}` : ''}${readOnly ? ' READ ONLY' : ''}`;
    return this.use(async (client) => {
      await client.query(begin);
      let result: R;
      try {
        result = await work(client);
      } catch (error) {
        // A connection that cannot even roll back is of no use to the next.
        await client.query('ROLLBACK').catch(() => this.pool.discard(client));
        throw error;
      }
      const { command } = await client.query('COMMIT');
      if (command === 'ROLLBACK') throw new PgRolledBackError(this.name);
      return result;
    }, options);
  }

  /** How the pool is, and what has happened since it was made. */
  statistics(): PoolStatistics {
    return this.pool.statistics();
  }

  /** Closes the pool and its connections; see `ObjectPool.close`. */
  close(options?: PoolCloseOptions): Promise<PoolCloseReport> {
    return this.pool.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function connect(
  config: pg.ClientConfig | undefined,
  { signal, onBroken }: { signal: AbortSignal; onBroken: (client: pg.Client) => void },
): Promise<pg.Client> {
  const client = new pg.Client({ application_name: 'tenure', ...config });
  // Without a listener the first lost connection would end the process.
  client.on('error', () => onBroken(client));
  client.on('end', () => onBroken(client));
  // The server says that it ends the session some time before the line is closed; in between the client looks well.
  wire(client)?.on?.('errorMessage', ({ severity, code }) => {
    if (severity === 'FATAL' || severity === 'PANIC' || code?.startsWith('57P0')) onBroken(client);
  });
  const callOff = () => cut(client);
  signal.addEventListener('abort', callOff, { once: true });
  try {
    await client.connect();
  } catch (error) {
    cut(client);
    throw error;
  } finally {
    signal.removeEventListener('abort', callOff);
  }
  return client;
}

async function disconnect(client: pg.Client, signal: AbortSignal): Promise<void> {
  const callOff = () => cut(client);
  signal.addEventListener('abort', callOff, { once: true });
  try {
    await client.end();
  } finally {
    signal.removeEventListener('abort', callOff);
  }
}

/** Closes the socket without a word; `end` would wait for a server that may not answer. */
function cut(client: pg.Client): void {
  wire(client)?.stream?.destroy();
}

/** What `pg` keeps below its client; not in its types, there in every version 8. */
interface Wire {
  readonly stream?: { destroy(): void };
  on?(event: 'errorMessage', listener: (message: { severity?: string; code?: string }) => void): void;
}

function wire(client: pg.Client): Wire | undefined {
  return (client as { connection?: Wire }).connection;
}

async function clean(client: pg.Client, reset: PgReset): Promise<void> {
  // Older versions of pg do not tell; then it is asked for always.
  const isIdle = client.getTransactionStatus?.() === 'I';
  if (!isIdle) await client.query('ROLLBACK');
  if (reset === 'discard') await client.query(DISCARD);
}

/** The work, or the signal's reason; then the connection is broken, for the work still runs on it. */
function untilAborted<R>(
  work: Promise<R>,
  { signal, lease }: { signal: AbortSignal; lease: Lease<pg.Client> },
): Promise<R> {
  return new Promise((resolve, reject) => {
    const callOff = () => {
      if (!lease.isReturned) lease.destroy();
      reject(signal.reason);
    };
    listenForAbort(signal, callOff);
    if (signal.aborted) callOff();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', callOff));
  });
}
