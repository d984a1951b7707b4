/**
 * Clients of a language model as a pool: so many requests at a time, so many a minute, and none while the service is known to be down.
 *
 * The client is the user's: whatever speaks to an OpenAI-compatible service. A request gets a client of its own for its length and a signal that
 * aborts when the caller gives up, when it takes too long, or when the pool closes over it. An answer of 429 with `retry-after` holds back
 * all that have not been sent yet.
 *
 *   request ── breaker ──► a client (10 at most) ──► the rate ──► work(client, { signal })
 */
import { listenForAbort } from '../../base/abort.ts';
import { type Clock, checkedDelay, systemClock } from '../../base/clock.ts';
import { ClosedError, InvalidArgumentError, TimeoutError } from '../../base/errors.ts';
import {
  type AcquireOptions,
  ObjectPool,
  type PoolCloseOptions,
  type PoolCloseReport,
} from '../../holders/pool/object-pool.ts';
import type { PoolSettings } from '../../holders/pool/pool-options.ts';
import type { PoolStatistics } from '../../holders/pool/pool-statistics.ts';
import { RequestRate } from './request-rate.ts';

const CLIENT_BYTES = 65_536;
const LONGEST_RETRY_MS = 3_600_000;

/** What a circuit breaker is to the pool. */
export interface BreakerPort {
  /** Throws while it is open. */
  admit(): void;
  succeeded(): void;
  failed(error: unknown): void;
}

/** What an `LlmPool` is made of. */
export interface LlmPoolOptions<C> extends Partial<PoolSettings> {
  /** Makes a client, such as `() => new OpenAI({ baseURL, apiKey, maxRetries: 0 })`. */
  create(signal: AbortSignal): C | PromiseLike<C>;
  /** Disposes of a client, where that needs doing. */
  destroy?(client: C): unknown;
  /** How long one request may take, 0 to 2^31 - 1 ms; 120,000 by default. */
  readonly requestTimeoutMs?: number;
  /** Requests a minute, evenly; unlimited by default. */
  readonly requestsPerMinute?: number;
  /** How many of them may come together; a tenth of a minute's by default. */
  readonly burst?: number;
  readonly breaker?: BreakerPort;
  /** What one client takes, as the budget is charged; 65,536 by default. */
  readonly bytesPerClient?: number;
}

/** How one request waits. */
export interface LlmRequestOptions extends AcquireOptions {
  /** How long it may take once it is sent; the pool's `requestTimeoutMs` by default. */
  readonly requestTimeoutMs?: number;
}

interface Slot<C> {
  readonly client: C;
  /** Aborts when the pool closes over a request. */
  readonly closing: AbortController;
}

/**
 * A pool of clients; 10 at most by default.
 *
 * @example
 * await using llm = new LlmPool({ create: () => new OpenAI({ maxRetries: 0 }), requestsPerMinute: 500, budget });
 * const answer = await llm.request((client, { signal }) => client.chat.completions.create({ model, messages }, { signal }));
 */
export class LlmPool<C> implements AsyncDisposable {
  readonly #pool: ObjectPool<Slot<C>>;
  readonly #clock: Clock;
  readonly #rate: RequestRate | null;
  readonly #breaker: BreakerPort | undefined;
  readonly #requestTimeoutMs: number;
  readonly #acquireTimeoutMs: number;

  /**
   * Makes the pool; clients are made when they are wanted.
   *
   * @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws.
   */
  constructor(options: LlmPoolOptions<C>) {
    const { requestTimeoutMs = 120_000, requestsPerMinute, burst, breaker, bytesPerClient = CLIENT_BYTES } = options;
    if (typeof options.create !== 'function') {
      throw new InvalidArgumentError('create', 'must be a function that makes a client.');
    }
    this.#clock = options.clock ?? systemClock;
    this.#requestTimeoutMs = checkedDelay(requestTimeoutMs, 'requestTimeoutMs');
    this.#acquireTimeoutMs = options.acquireTimeoutMs ?? 30_000;
    this.#breaker = breaker;
    this.#rate =
      requestsPerMinute === undefined ? null : new RequestRate({ clock: this.#clock, requestsPerMinute, burst });
    const pool: ObjectPool<Slot<C>> = new ObjectPool<Slot<C>>({
      ...{ max: 10, ...options, name: options.name ?? 'llm' },
      bytesPerObject: bytesPerClient,
      create: async (signal) => ({ client: await options.create(signal), closing: new AbortController() }),
      destroy: (slot) => {
        slot.closing.abort(new ClosedError(`The pool ${pool.name}`));
        return options.destroy?.(slot.client);
      },
    });
    this.#pool = pool;
  }

  get name(): string {
    return this.#pool.name;
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.#pool.isClosed;
  }

  /**
   * Runs `work` with a client, when one is free and the rate allows. `work` must hand the signal on to what it calls.
   *
   * @throws What the breaker throws while it is open; what `ObjectPool.acquire` throws; LlmRateLimitError; TimeoutError when it takes too long;
   * the signal's reason; what `work` throws.
   */
  async request<R>(
    work: (client: C, context: { readonly signal: AbortSignal }) => R | PromiseLike<R>,
    options: LlmRequestOptions = {},
  ): Promise<R> {
    if (typeof work !== 'function') throw new InvalidArgumentError('work', 'must be a function.');
    const { signal, timeoutMs = this.#acquireTimeoutMs, requestTimeoutMs = this.#requestTimeoutMs } = options;
    checkedDelay(requestTimeoutMs, 'requestTimeoutMs');
    this.#breaker?.admit();
    const startMs = this.#clock.monotonicMs();
    const lease = await this.#pool.acquire({ timeoutMs, ...(signal && { signal }) });
    try {
      const leftMs = Math.max(0, timeoutMs - (this.#clock.monotonicMs() - startMs));
      await this.#rate?.pass({ timeoutMs: leftMs, ...(signal && { signal }) });
      return await this.#send(lease.object, { work, signal, requestTimeoutMs });
    } finally {
      lease[Symbol.dispose]();
    }
  }

  /** How the pool is, and what has happened since it was made. */
  statistics(): PoolStatistics {
    return this.#pool.statistics();
  }

  /** Changes how many requests may run at once. */
  resize(size: { readonly min?: number; readonly max?: number }): void {
    this.#pool.resize(size);
  }

  /** Closes the pool; requests under way are waited for, then aborted. See `ObjectPool.close`. */
  close(options?: PoolCloseOptions): Promise<PoolCloseReport> {
    return this.#pool.close(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send<R>(
    { client, closing }: Slot<C>,
    request: {
      work: (client: C, context: { readonly signal: AbortSignal }) => R | PromiseLike<R>;
      signal: AbortSignal | undefined;
      requestTimeoutMs: number;
    },
  ): Promise<R> {
    const { work, signal, requestTimeoutMs } = request;
    const timeout = new AbortController();
    const timer = this.#clock.after(
      requestTimeoutMs,
      () => timeout.abort(new TimeoutError(`A request of the pool ${this.name}`, requestTimeoutMs)),
      { keepAlive: true },
    );
    const any = AbortSignal.any([timeout.signal, closing.signal, ...(signal ? [signal] : [])]);
    try {
      const result = await untilAborted(async () => work(client, { signal: any }), any);
      this.#breaker?.succeeded();
      return result;
    } catch (error) {
      // That the caller gave up, or the pool closed, says nothing of the service.
      if (!signal?.aborted && !closing.signal.aborted) this.#failed(error);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  #failed(error: unknown): void {
    const retryMs = retryAfterMs(error);
    if (retryMs !== null) this.#rate?.pause(retryMs);
    const status = statusOf(error);
    // A request the service understood and refused is the caller's affair, not the service's.
    if (status === null || status >= 500 || status === 408 || status === 429) this.#breaker?.failed(error);
    else this.#breaker?.succeeded();
  }
}

/** The work's own end, or the signal's reason, whichever comes first. */
function untilAborted<R>(work: () => Promise<R>, signal: AbortSignal): Promise<R> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const callOff = () => reject(signal.reason);
    listenForAbort(signal, callOff);
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', callOff));
  });
}

/** `status` of the error, as the clients of this field tell it. */
function statusOf(error: unknown): number | null {
  const status = (error as { status?: unknown } | null)?.status;
  return typeof status === 'number' ? status : null;
}

/** What a 429 or 503 says in `retry-after-ms` or `retry-after` (seconds), if it says so. */
function retryAfterMs(error: unknown): number | null {
  const status = statusOf(error);
  if (status !== 429 && status !== 503) return null;
  const { headers } = error as { headers?: unknown };
  const header = (name: string): number => {
    const value =
      headers instanceof Headers ? headers.get(name) : (headers as Record<string, unknown> | undefined)?.[name];
    return value === null || value === undefined ? Number.NaN : Number(value);
  };
  const ms = [header('retry-after-ms'), header('retry-after') * 1_000].find((one) => Number.isFinite(one) && one >= 0);
  return ms === undefined ? null : Math.min(ms, LONGEST_RETRY_MS);
}
