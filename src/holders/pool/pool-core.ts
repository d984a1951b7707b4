/**
 * The works of a pool: who has which object, and who gets the next.
 *
 *   acquire ── idle and known to be good? ──yes──► lent, at once, the one returned last
 *      └─no─► waits ◄─ served oldest first by whatever comes: returned, checked, reset or made
 *
 * **Promises.** (1) No more than `max` objects are alive, those being made and destroyed included; only one that is made after its time-out is
 * over, and is destroyed at once. (2) No object is lent to two. (3) Who waits is served in order; nobody overtakes. (4) For each one who waits
 * something is on its way (*coming*: being checked, reset or made) as far as `max`, the budget and the factory allow. (5) The books hold
 * the bytes of every live object, from before it is made until it is destroyed or given up on. (6) Callbacks are never called from within a
 * call of the pool, and none of them can end it.
 *
 * Borrowing an idle object and returning it changes two linked lists and makes one small object, the lease. The time of day costs more than
 * that, so it is read by the sweep, every second at most, and whatever needs no better lives with that; only pools that check on borrow
 * read it there.
 */
import type { Timer } from '../../base/clock.ts';
import { ClosedError, messageOf } from '../../base/errors.ts';
import { boundedCall } from './bounded-call.ts';
import { Entry, EntryList } from './entry.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import { LeaseWatch, placeOf, type Site } from './lease-watch.ts';
import { Making } from './making.ts';
import { ObjectBytes } from './object-bytes.ts';
import { PoolQueueFullError, PoolTimeoutError } from './pool-errors.ts';
import type { DestroyCause } from './pool-events.ts';
import type { CheckedOptions } from './pool-options.ts';
import { PoolCounts, type PoolStatistics } from './pool-statistics.ts';
import { RefusalReport } from './refusal-report.ts';
import { type TendAction, Tending } from './tending.ts';
import { WaitHistogram } from './wait-histogram.ts';
import { Waiter, WaitingQueue } from './waiting-queue.ts';

/** After the budget had no room for an idle object, or took one: so long `min` is not made up. */
const REFILL_PAUSE_MS = 5_000;
const LONGEST_SWEEP_MS = 1_000;
const SHORTEST_SWEEP_MS = 10;

const WAITS_ALL_TIMED = 1_024;
const WAITS_TIMED_ONE_IN = 8;

/** How one acquire waits; unset as for all. */
export interface Waiting {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class PoolCore<T> implements LeaseOwner<T> {
  readonly options: CheckedOptions<T>;
  readonly sweepMs: number;
  readonly #entries = new Map<T, Entry<T>>();
  readonly #idle = new EntryList<T>();
  readonly #lent = new EntryList<T>();
  readonly #queue: WaitingQueue<T>;
  readonly #bytes: ObjectBytes<T>;
  readonly #making: Making<T>;
  readonly #tending: Tending<T>;
  readonly #watch: LeaseWatch<T>;
  readonly #refusals: RefusalReport;
  readonly #counts = new PoolCounts();
  readonly #waits = new WaitHistogram();
  readonly #sweeper: Timer;
  readonly #checksOnBorrow: boolean;
  min: number;
  max: number;
  isClosing = false;
  #dying = 0;
  #waited = 0;
  #nowMs: number;
  #refillAfterMs = 0;
  #onEmpty: (() => void) | null = null;

  constructor(options: CheckedOptions<T>) {
    this.options = options;
    this.min = options.min;
    this.max = options.max;
    const { clock, emit } = options;
    this.#nowMs = clock.monotonicMs();
    this.#checksOnBorrow = options.check !== undefined && options.checkAfterIdleMs !== Number.POSITIVE_INFINITY;
    this.sweepMs = sweepIntervalMs(options);
    this.#queue = new WaitingQueue<T>({
      clock,
      onTimeout: (waiter) => this.#timedOut(waiter),
      onAbort: () => this.#callOff(),
    });
    this.#tending = new Tending<T>({
      ...{ name: options.name, clock, timeoutMs: options.checkTimeoutMs },
      onDone: (entry, action, problem) => this.#tended(entry, action, problem),
    });
    this.#refusals = new RefusalReport({ clock, emit, load: () => this.#load() });
    this.#watch = new LeaseWatch<T>({
      ...options,
      onAbandoned: (entry) => {
        this.#end(entry);
        this.#destroy(entry, 'abandoned');
      },
    });
    this.#bytes = new ObjectBytes<T>(options, {
      idleBytes: () => this.#idle.bytes,
      spareBytes: () => this.#spareBytes(),
      giveUp: (request) => this.#giveUp(request),
      given: () => this.#supply(),
    });
    this.#making = new Making<T>(options, {
      bytes: this.#bytes,
      outcomes: {
        made: (object, bytes) => this.#made(object, bytes),
        isKnown: (object) => this.#entries.has(object),
        unwanted: (object, cause) => void this.#callDestroy(object, cause),
        refused: (error) => {
          if (error === null) this.#refillAfterMs = clock.monotonicMs() + REFILL_PAUSE_MS;
          else this.#refusedByBudget(error);
        },
        failed: (error) => this.#tellFailure(error),
        ended: () => this.#supply(),
      },
    });
    this.#sweeper = clock.every(this.sweepMs, () => this.#sweep());
    if (this.min > 0) queueMicrotask(() => this.#supply());
  }

  get name(): string {
    return this.options.name;
  }

  /** Lends the idle object returned last, if it needs no check. */
  tryBorrow(borrow: (...args: never[]) => unknown): Lease<T> | null {
    const entry = this.#idle.last;
    // One may be idle while somebody waits for another to be checked: it is his.
    if (entry === null || this.isClosing || this.#queue.first !== null || !this.#isGood(entry)) return null;
    this.#idle.remove(entry);
    return this.#lend(entry, this.#watch.site(borrow));
  }

  /** Waits in line for an object. */
  wait({ timeoutMs, signal }: Waiting, borrow: (...args: never[]) => unknown): Promise<Lease<T>> {
    if (this.isClosing) return Promise.reject(new ClosedError(`The pool ${this.name}`));
    const { clock, acquireTimeoutMs, maxWaiting } = this.options;
    if (this.#isQueueFull(maxWaiting)) {
      this.#counts.refusals++;
      const error = new PoolQueueFullError(this.#load());
      this.#refusals.add('queue_full');
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      const startMs = clock.monotonicMs();
      this.#nowMs = startMs;
      const site = this.#watch.site(borrow);
      const waiter = new Waiter<T>({ startMs, timeoutMs: timeoutMs ?? acquireTimeoutMs, site, resolve, reject });
      this.#queue.join(waiter, { signal, ownTimeoutMs: timeoutMs });
      this.#supply();
    });
  }

  takeBack(entry: Entry<T>, isBroken: boolean): void {
    this.#end(entry);
    const nowMs = this.#nowMs;
    entry.sinceMs = nowMs;
    const cause = this.#causeToDestroy(entry, isBroken);
    if (cause !== null) {
      this.#destroy(entry, cause);
    } else if (this.options.reset !== undefined) {
      this.#tend(entry, 'reset');
    } else {
      entry.goodAtMs = nowMs;
      if (this.#queue.first === null) {
        entry.state = 'idle';
        this.#idle.push(entry);
      } else {
        this.#offer(entry);
      }
    }
  }

  returnedTwice(): void {
    this.#counts.returnedTwice++;
    const { clock, emit, name } = this.options;
    emit({ type: 'pool.lease_returned_twice', atMs: clock.nowMs(), pool: name });
  }

  /** Destroys `object` now, or when it comes back. False for one that is not in the pool. */
  discard(object: T): boolean {
    const entry = this.#entries.get(object);
    if (entry === undefined || entry.state === 'dying') return false;
    entry.isBroken = true;
    if (entry.state === 'idle') {
      this.#idle.remove(entry);
      this.#destroy(entry, 'broken');
    }
    return true;
  }

  resize({ min, max }: { min: number; max: number }): void {
    if (this.isClosing) throw new ClosedError(`The pool ${this.name}`);
    this.min = min;
    this.max = max;
    for (const entry of this.#idle) {
      if (this.#alive <= max) break;
      this.#idle.remove(entry);
      this.#destroy(entry, 'surplus');
    }
    this.#supply();
  }

  statistics(): PoolStatistics {
    const { created, borrows, destroyed, timeouts, refusals, checkErrors, destroyErrors, returnedTwice } = this.#counts;
    const immediate = borrows - this.#waited;
    return {
      ...{ name: this.name, min: this.min, max: this.max },
      ...{ size: this.#entries.size, borrowed: this.#lent.size, idle: this.#idle.size },
      ...{ creating: this.#making.inFlight, waiting: this.#queue.size, bytes: this.#bytes.usedBytes },
      ...{ created, borrows, destroyed: { ...destroyed }, timeouts, refusals },
      ...{ createErrors: this.#making.errorCount, checkErrors, destroyErrors },
      ...{ heldTooLong: this.#watch.heldTooLongCount, abandoned: this.#watch.abandonedCount, returnedTwice },
      waitMs: { p50: this.#waits.quantileMs(0.5, immediate), p99: this.#waits.quantileMs(0.99, immediate) },
    };
  }

  /** Refuses everybody, destroys what is idle, waits for what is lent. Resolves with the places of leases that were taken away. */
  async close(signal: AbortSignal | undefined, timeoutMs: number): Promise<(string | null)[]> {
    this.isClosing = true;
    const closed = new ClosedError(`The pool ${this.name}`);
    for (let waiter = this.#queue.shift(); waiter !== null; waiter = this.#queue.shift()) waiter.reject(closed);
    this.#queue.rest();
    this.#making.close();
    this.#tending.close(closed);
    for (const entry of this.#idle) {
      this.#idle.remove(entry);
      this.#destroy(entry, 'close');
    }
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#tellIfEmpty();
    const sites: (string | null)[] = [];
    const takeAway = () => {
      for (const entry of this.#lent) {
        sites.push(placeOf(entry.site));
        this.#end(entry);
        this.#destroy(entry, 'close');
      }
    };
    const timer = this.options.clock.after(timeoutMs, takeAway, { keepAlive: true });
    signal?.addEventListener('abort', takeAway, { once: true });
    if (signal?.aborted) takeAway();
    await empty;
    timer.cancel();
    signal?.removeEventListener('abort', takeAway);
    this.#sweeper.cancel();
    this.#refusals.flush();
    this.#bytes.close();
    return sites;
  }

  /** Objects that are in the pool and not on their way out. */
  get #alive(): number {
    return this.#entries.size - this.#dying;
  }

  get #coming(): number {
    return this.#tending.count + this.#making.inFlight;
  }

  #isGood(entry: Entry<T>): boolean {
    if (!this.#checksOnBorrow) return entry.expiresAtMs > this.#nowMs;
    this.#nowMs = this.options.clock.monotonicMs();
    return entry.expiresAtMs > this.#nowMs && this.#nowMs - entry.goodAtMs < this.options.checkAfterIdleMs;
  }

  #causeToDestroy(entry: Entry<T>, isBroken: boolean): DestroyCause | null {
    if (isBroken || entry.isBroken) return 'broken';
    if (this.isClosing) return 'close';
    if (entry.uses >= this.options.maxUses) return 'uses';
    if (entry.expiresAtMs <= this.#nowMs) return 'lifetime';
    return this.#alive > this.max ? 'surplus' : null;
  }

  #lend(entry: Entry<T>, site: Site | null): Lease<T> {
    entry.state = 'lent';
    entry.sinceMs = this.#nowMs;
    entry.uses++;
    entry.site = site;
    this.#lent.push(entry);
    this.#counts.borrows++;
    const lease = new Lease<T>(this, entry);
    entry.lease = lease;
    return lease;
  }

  #lendTo(waiter: Waiter<T>, entry: Entry<T>): void {
    // All of the first, then one for eight: reading the clock is a fifth of the cost of a wait.
    if (this.#waited < WAITS_ALL_TIMED || this.#waited % WAITS_TIMED_ONE_IN === 0) {
      const weight = this.#waited < WAITS_ALL_TIMED ? 1 : WAITS_TIMED_ONE_IN;
      this.#waits.record(this.options.clock.monotonicMs() - waiter.startMs, weight);
    }
    this.#waited++;
    waiter.resolve(this.#lend(entry, waiter.site));
  }

  /** The lease of `entry` is over. */
  #end(entry: Entry<T>): void {
    entry.generation++;
    entry.lease = null;
    entry.isReported = false;
    if (entry.isWatched) this.#watch.forget(entry);
    this.#lent.remove(entry);
  }

  /** To the oldest who waits, after its check if it needs one; else it is idle. */
  #offer(entry: Entry<T>): void {
    if (this.#isGood(entry)) {
      this.#deliver(entry);
    } else {
      entry.state = 'idle';
      this.#idle.pushByAge(entry);
      this.#supply();
    }
  }

  #deliver(entry: Entry<T>): void {
    const waiter = this.#queue.shift();
    if (waiter !== null) {
      this.#lendTo(waiter, entry);
    } else if (this.#alive > this.max) {
      this.#destroy(entry, 'surplus');
    } else {
      entry.state = 'idle';
      this.#idle.pushByAge(entry);
    }
    this.#callOff();
  }

  /** Those for whom something is on its way do not count, nor one for whom something can be; but while the factory fails, that ends as well. */
  #isQueueFull(maxWaiting: number): boolean {
    const { size } = this.#queue;
    if (size >= maxWaiting + this.max) return true;
    const canServe = this.#idle.size > 0 || this.#alive + this.#making.inFlight < this.max;
    return !canServe && size - this.#coming >= maxWaiting;
  }

  /** Sees to it that something is on its way for everybody who waits, and that `min` are there. */
  #supply(): void {
    if (this.isClosing) {
      this.#tellIfEmpty();
      return;
    }
    while (this.#queue.size > this.#coming) {
      const entry = this.#idle.last;
      if (entry === null) break;
      this.#idle.remove(entry);
      if (this.#isGood(entry)) this.#deliver(entry);
      else if (entry.expiresAtMs <= this.#nowMs) this.#destroy(entry, 'lifetime');
      else this.#tend(entry, 'check');
    }
    const room = this.max - this.#entries.size - this.#making.inFlight;
    if (room <= 0) return;
    const forWaiters = this.#queue.size - this.#coming;
    const isRefilling = this.#alive + this.#making.inFlight < this.min && this.#mayRefill();
    const forMin = isRefilling ? this.min - this.#alive - this.#making.inFlight : 0;
    const count = Math.min(Math.max(forWaiters, forMin), room);
    const begun = count > 0 ? this.#making.allowed(count) : 0;
    for (let index = 0; index < begun; index++) {
      this.#making.begin({ patienceMs: index < forWaiters ? this.#patienceMs() : null });
    }
  }

  /** Not while objects are on their way out: the budget still holds what their successors need. */
  #mayRefill(): boolean {
    return this.#dying === 0 && this.options.clock.monotonicMs() >= this.#refillAfterMs;
  }

  /** How long the oldest will still wait. */
  #patienceMs(): number {
    const { clock, acquireTimeoutMs } = this.options;
    const deadlineMs = this.#queue.first?.deadlineMs;
    // A moment less, so that who waits hears from the budget why it waited in vain.
    return deadlineMs === undefined ? acquireTimeoutMs : Math.max(0, deadlineMs - clock.monotonicMs() - 1);
  }

  /** Lets attempts that wait for the budget go when nobody waits for them. */
  #callOff(): void {
    if (this.#making.inFlight === 0) return;
    this.#making.callOff(Math.max(this.#queue.size - this.#tending.count, this.min - this.#alive));
  }

  #made(object: T, bytes: number): void {
    const { clock, maxLifetimeMs, lifetimeJitter, random } = this.options;
    const nowMs = clock.monotonicMs();
    this.#nowMs = nowMs;
    const expiresAtMs =
      maxLifetimeMs === Number.POSITIVE_INFINITY
        ? maxLifetimeMs
        : nowMs + maxLifetimeMs * (1 - lifetimeJitter * random());
    const entry = new Entry<T>({ object, bytes, nowMs, expiresAtMs });
    this.#entries.set(object, entry);
    this.#counts.created++;
    if (this.isClosing) this.#destroy(entry, 'close');
    else this.#deliver(entry);
  }

  /** Checks or resets an entry that stands in no list. */
  #tend(entry: Entry<T>, action: TendAction): void {
    entry.state = 'tended';
    this.#tending.begin(entry, action, this.options[action]!);
  }

  #tended(entry: Entry<T>, action: TendAction, problem: string | null): void {
    const { clock, emit, name } = this.options;
    if (problem !== null && !this.isClosing) {
      this.#counts.checkErrors++;
      emit({ type: 'pool.check_failed', atMs: clock.nowMs(), pool: name, action, message: problem });
    }
    const cause = this.#causeToDestroy(entry, false) ?? (problem === null ? null : action);
    if (cause !== null) {
      this.#destroy(entry, cause);
      this.#supply();
      return;
    }
    // A reset is no check: where every borrow is checked, so is this one.
    if (action === 'reset') entry.goodAtMs = this.#nowMs;
    else entry.goodAtMs = this.#checksOnBorrow ? clock.monotonicMs() : this.#nowMs;
    if (action === 'reset' && this.#queue.first !== null) this.#offer(entry);
    else this.#deliver(entry);
  }

  /** Destroys an entry that stands in no list. Resolves when it is gone. */
  async #destroy(entry: Entry<T>, cause: DestroyCause): Promise<void> {
    entry.state = 'dying';
    this.#dying++;
    await this.#callDestroy(entry.object, cause);
    this.#dying--;
    this.#entries.delete(entry.object);
    this.#bytes.release(entry.bytes);
    this.#supply();
  }

  async #callDestroy(object: T, cause: DestroyCause): Promise<void> {
    const { name, clock, emit, destroy, destroyTimeoutMs } = this.options;
    this.#counts.destroyed[cause]++;
    if (destroy === undefined) return;
    try {
      const what = `destroy() of the pool ${name}`;
      await boundedCall({ clock, what, timeoutMs: destroyTimeoutMs, run: (signal) => destroy(object, signal) });
    } catch (error) {
      this.#counts.destroyErrors++;
      emit({ type: 'pool.destroy_failed', atMs: clock.nowMs(), pool: name, cause, message: messageOf(error) });
    }
  }

  /** Bytes of idle objects above `min`. */
  #spareBytes(): number {
    const { size, bytes } = this.#idle;
    const spare = Math.min(size, this.#alive - this.min);
    if (spare <= 0) return 0;
    return spare === size ? bytes : Math.floor((bytes * spare) / size);
  }

  async #giveUp({ targetBytes, belowMin }: { targetBytes: number; belowMin: boolean }): Promise<void> {
    const gone: Promise<void>[] = [];
    let bytes = 0;
    for (const entry of this.#idle) {
      if (bytes >= targetBytes || (!belowMin && this.#alive <= this.min)) break;
      this.#idle.remove(entry);
      bytes += entry.bytes;
      gone.push(this.#destroy(entry, 'reclaim'));
    }
    if (this.#alive < this.min) this.#refillAfterMs = this.options.clock.monotonicMs() + REFILL_PAUSE_MS;
    await Promise.all(gone);
  }

  #load() {
    const { max, name } = this;
    return { pool: name, max, size: this.#entries.size, borrowed: this.#lent.size, waiting: this.#queue.size };
  }

  #timedOut(waiter: Waiter<T>, cause?: unknown): void {
    this.#counts.timeouts++;
    const waitedMs = this.options.clock.monotonicMs() - waiter.startMs;
    waiter.reject(new PoolTimeoutError(this.#load(), { waitedMs, cause }));
    this.#refusals.add('timeout');
    this.#callOff();
  }

  /** The attempt waited as long as the oldest at its beginning; who has waited that long is told why. */
  #refusedByBudget(error: unknown): void {
    const waiter = this.#queue.first;
    if (waiter === null || waiter.deadlineMs > this.options.clock.monotonicMs() + 1) return;
    this.#queue.leave(waiter);
    this.#timedOut(waiter, error);
  }

  /** To the oldest; to all, when there is no object whose return could serve them, and no other attempt. */
  #tellFailure(error: unknown): void {
    const isHopeless = this.#alive === 0 && this.#making.inFlight <= 1;
    do this.#queue.shift()?.reject(error);
    while (isHopeless && this.#queue.first !== null);
    this.#callOff();
  }

  #sweep(): void {
    const nowMs = this.options.clock.monotonicMs();
    this.#nowMs = nowMs;
    this.#queue.rest();
    this.#tending.rest();
    this.#refusals.tell();
    this.#watch.sweep(this.#lent, { nowMs, sweepMs: this.sweepMs });
    if (this.isClosing) return;
    const { idleTimeoutMs, check, checkIntervalMs } = this.options;
    // At most half of the idle are away for a check at once.
    let checks = check === undefined ? 0 : Math.ceil(this.#idle.size / 2) - this.#tending.count;
    for (const entry of this.#idle) {
      const isIdleTooLong = nowMs - entry.sinceMs >= idleTimeoutMs && this.#alive > this.min;
      if (isIdleTooLong || entry.expiresAtMs <= nowMs) {
        this.#idle.remove(entry);
        this.#destroy(entry, isIdleTooLong ? 'idle' : 'lifetime');
      } else if (nowMs - entry.goodAtMs >= checkIntervalMs && checks-- > 0) {
        this.#idle.remove(entry);
        this.#tend(entry, 'check');
      }
    }
    this.#supply();
  }

  #tellIfEmpty(): void {
    if (this.#entries.size === 0 && this.#making.inFlight === 0) this.#onEmpty?.();
  }
}

/** Often enough for the shortest time that matters. */
function sweepIntervalMs<T>(options: CheckedOptions<T>): number {
  const { idleTimeoutMs, maxLifetimeMs, heldTooLongMs, checkIntervalMs, check } = options;
  const shortestMs = Math.min(
    idleTimeoutMs,
    maxLifetimeMs,
    heldTooLongMs,
    check ? checkIntervalMs : Number.POSITIVE_INFINITY,
  );
  return Math.min(LONGEST_SWEEP_MS, Math.max(SHORTEST_SWEEP_MS, Math.floor(shortestMs / 4)));
}
