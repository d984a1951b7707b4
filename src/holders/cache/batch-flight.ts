/**
 * One computation for each key where keys are computed in batches: who asks for a key that is in a batch under way waits for that batch.
 *
 * Each caller may leave alone; a batch is aborted when all who wait for it have left. As in `single-flight.ts`, what throws is not kept.
 */
import { listenForAbort } from '../../base/abort.ts';

interface Batch<K, V> {
  readonly keys: readonly K[];
  readonly aborter: AbortController;
  result: Promise<ReadonlyMap<K, V>>;
  callers: number;
}

export class BatchFlight<K, V> {
  readonly #batchOf = new Map<K, Batch<K, V>>();
  readonly #running = new Set<Batch<K, V>>();

  get running(): number {
    return this.#running.size;
  }

  /**
   * The values of `keys`: those under way are waited for, the others computed in one batch.
   *
   * @throws The signal's reason, what a batch it waits for throws.
   */
  async join(
    keys: readonly K[],
    options: {
      compute: (keys: readonly K[], signal: AbortSignal) => Promise<ReadonlyMap<K, V>>;
      signal: AbortSignal | undefined;
    },
  ): Promise<ReadonlyMap<K, V>> {
    const { compute, signal } = options;
    const batches = new Set<Batch<K, V>>();
    const own: K[] = [];
    for (const key of keys) {
      const batch = this.#batchOf.get(key);
      if (batch === undefined) own.push(key);
      else batches.add(batch);
    }
    if (own.length > 0) batches.add(this.#start(own, compute));
    for (const batch of batches) batch.callers++;
    try {
      const results = await orAborted(Promise.all([...batches].map(({ result }) => result)), signal);
      return new Map(results.flatMap((result) => [...result]));
    } finally {
      for (const batch of batches) this.#leave(batch, signal?.reason);
    }
  }

  /** What is being computed for `keys` is for those who wait already, and for nobody else (`owns`). */
  disown(keys: readonly K[]): void {
    for (const key of keys) this.#batchOf.delete(key);
  }

  /** Whether the computation that has `signal` still speaks for `key`. */
  owns(key: K, signal: AbortSignal): boolean {
    return this.#batchOf.get(key)?.aborter.signal === signal;
  }

  abortAll(reason: unknown): void {
    this.#batchOf.clear();
    for (const { aborter } of this.#running) aborter.abort(reason);
  }

  #start(
    keys: readonly K[],
    compute: (keys: readonly K[], signal: AbortSignal) => Promise<ReadonlyMap<K, V>>,
  ): Batch<K, V> {
    const aborter = new AbortController();
    const batch: Batch<K, V> = { keys, aborter, callers: 0, result: Promise.resolve(new Map()) };
    for (const key of keys) this.#batchOf.set(key, batch);
    this.#running.add(batch);
    batch.result = orAborted(compute(keys, aborter.signal), aborter.signal).finally(() => this.#end(batch));
    // Who left does not hear of it any more.
    batch.result.catch(() => {});
    return batch;
  }

  #leave(batch: Batch<K, V>, reason: unknown): void {
    batch.callers--;
    if (batch.callers > 0 || !this.#running.has(batch)) return;
    this.#end(batch);
    batch.aborter.abort(reason);
  }

  #end(batch: Batch<K, V>): void {
    this.#running.delete(batch);
    for (const key of batch.keys) if (this.#batchOf.get(key) === batch) this.#batchOf.delete(key);
  }
}

/** `work`, or the signal's reason as soon as it aborts; leaves no listener behind. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    listenForAbort(signal, onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
