/**
 * The works of a pool: who has which object, and who gets the next.
 *
 *   acquire ── idle and known to be good? ──yes──► lent, at once, the one returned last
 *      └─no─► waits ◄─ served oldest first by whatever comes: returned, checked, reset or made
 *
 * **Promises.** (1) No more than `max` objects are alive, those being made and destroyed included; one made after its time-out is over is
 * destroyed at once. (2) No object is lent to two. (3) Who waits is served in order; nobody overtakes. (4) For each one who waits something
 * is on its way (*coming*: checked, reset or made) as far as `max`, the budget and the factory allow. (5) The books hold the bytes of every
 * live object, from before it is made until it is gone. (6) No callback is called from within a call of the pool, and none can end it.
 *
 * A borrow changes two linked lists and makes one small object, the lease. Reading the clock costs more than that, so the sweep does, each
 * second or sooner, and whatever needs no better lives with that; only who waits, and a check that depends on time, has it read.
 */
import type { Timer } from '../../base/clock.ts';
import { ClosedError } from '../../base/errors.ts';
import { Destroying } from './destroying.ts';
import { Entry, EntryList } from './entry.ts';
import { Lease, type LeaseOwner } from './lease.ts';
import { LeaseWatch, placeOf, type Site } from './lease-watch.ts';
import { Making } from './making.ts';
import { ObjectBytes } from './object-bytes.ts';
import type { DestroyCause } from './pool-events.ts';
import type { CheckedOptions } from './pool-options.ts';
import type { PoolStatistics } from './pool-statistics.ts';
import { dueOf, lifetimeMs, sweepIntervalMs } from './sweep.ts';
import { type TendAction, Tending } from './tending.ts';
import { type Waiting, WaitingRoom } from './waiting-room.ts';

/** After the budget had no room for an idle object, or took one: so long `min` is not made up. */
const REFILL_PAUSE_MS = 5_000;

export class PoolCore<T> implements LeaseOwner<T> {
  readonly options: CheckedOptions<T>;
  readonly sweepMs: number;
  readonly #entries = new Map<T, Entry<T>>();
  readonly #idle = new EntryList<T>('idle');
  readonly #lent = new EntryList<T>('lent');
  readonly #room: WaitingRoom<T>;
  readonly #destroying: Destroying<T>;
  readonly #bytes: ObjectBytes<T>;
  readonly #making: Making<T>;
  readonly #tending: Tending<T>;
  readonly #watch: LeaseWatch<T>;
  readonly #sweeper: Timer;
  min: number;
  max: number;
  isClosing = false;
  #created = 0;
  #borrows = 0;
  #returnedTwice = 0;
  #nowMs: number;
  #refillAfterMs = 0;
  #onEmpty: (() => void) | null = null;

  constructor(options: CheckedOptions<T>) {
    this.options = options;
    this.min = options.min;
    this.max = options.max;
    const { clock, emit } = options;
    this.#nowMs = clock.monotonicMs();
    this.sweepMs = sweepIntervalMs(options);
    this.#room = new WaitingRoom<T>({
      ...{ clock, emit, acquireTimeoutMs: options.acquireTimeoutMs, maxWaiting: options.maxWaiting },
      load: () => this.#load(),
      canServe: () => this.#idle.size > 0 || this.#alive + this.#making.inFlight < this.max,
      coming: () => this.#coming,
      onEnter: () => this.#supply(),
      onLeave: () => this.#callOff(),
    });
    this.#destroying = new Destroying<T>(options, (entry) => {
      this.#entries.delete(entry.object);
      this.#bytes.release(entry.bytes);
      this.#supply();
    });
    this.#tending = new Tending<T>({
      ...{ name: options.name, clock, emit, timeoutMs: options.checkTimeoutMs },
      onDone: (entry, action, problem) => this.#tended(entry, action, problem),
    });
    this.#watch = new LeaseWatch<T>({
      ...options,
      onAbandoned: (entry) => {
        this.#end(entry);
        this.#destroying.entry(entry, 'abandoned');
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
        unwanted: (object, cause) => void this.#destroying.object(object, cause),
        refused: (error) => {
          if (error === null) this.#refillAfterMs = clock.monotonicMs() + REFILL_PAUSE_MS;
          else this.#room.refusedByBudget(error);
        },
        failed: (error) => {
          // To all, when there is no object whose return could serve them, and no other attempt.
          const isHopeless = this.#alive === 0 && this.#making.inFlight <= 1;
          this.#room.reject(error, isHopeless ? 'all' : 'oldest');
        },
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
    if (entry === null || this.isClosing || !this.#room.isEmpty || !this.#isGood(entry)) return null;
    this.#idle.remove(entry);
    return this.#lend(entry, this.#watch.site(borrow));
  }

  /** Waits in line for an object. */
  wait(waiting: Waiting, borrow: (...args: never[]) => unknown): Promise<Lease<T>> {
    if (this.isClosing) return Promise.reject(new ClosedError(`The pool ${this.name}`));
    this.#nowMs = this.options.clock.monotonicMs();
    return this.#room.enter(waiting, this.#nowMs, this.#watch.site(borrow));
  }

  takeBack(entry: Entry<T>, isBroken: boolean): void {
    this.#end(entry);
    entry.sinceMs = this.#nowMs;
    const cause = this.#causeToDestroy(entry, isBroken);
    if (cause !== null) {
      this.#destroying.entry(entry, cause);
    } else if (this.options.reset !== undefined) {
      this.#tend(entry, 'reset');
    } else {
      entry.goodAtMs = this.#nowMs;
      if (this.#room.isEmpty) this.#idle.push(entry);
      else this.#offer(entry);
    }
  }

  returnedTwice(): void {
    this.#returnedTwice++;
    const { clock, emit, name } = this.options;
    emit({ type: 'pool.lease_returned_twice', atMs: clock.nowMs(), pool: name });
  }

  /** Destroys `object` now, or when it comes back. False for one that is not in the pool. */
  discard(object: T): boolean {
    const entry = this.#entries.get(object);
    if (entry === undefined || entry.state === 'dying') return false;
    entry.isBroken = true;
    if (entry.state === 'idle') this.#dropIdle(entry, 'broken');
    return true;
  }

  resize({ min, max }: { min: number; max: number }): void {
    if (this.isClosing) throw new ClosedError(`The pool ${this.name}`);
    this.min = min;
    this.max = max;
    for (const entry of this.#idle) {
      if (this.#alive <= max) break;
      this.#dropIdle(entry, 'surplus');
    }
    this.#supply();
  }

  statistics(): PoolStatistics {
    const { timeouts, refusals } = this.#room;
    const { heldTooLongCount: heldTooLong, abandonedCount: abandoned } = this.#watch;
    return {
      ...{ name: this.name, min: this.min, max: this.max },
      ...{ size: this.#entries.size, borrowed: this.#lent.size, idle: this.#idle.size },
      ...{ creating: this.#making.inFlight, waiting: this.#room.size, bytes: this.#bytes.usedBytes },
      ...{ created: this.#created, borrows: this.#borrows, destroyed: { ...this.#destroying.counts } },
      ...{ timeouts, refusals, createErrors: this.#making.errorCount, checkErrors: this.#tending.errorCount },
      ...{ destroyErrors: this.#destroying.errorCount, heldTooLong, abandoned, returnedTwice: this.#returnedTwice },
      waitMs: this.#room.waitMs(this.#borrows),
    };
  }

  /** Refuses everybody, destroys what is idle, waits for what is lent. Resolves with the places of leases that were taken away. */
  async close(signal: AbortSignal | undefined, timeoutMs: number): Promise<(string | null)[]> {
    this.isClosing = true;
    const closed = new ClosedError(`The pool ${this.name}`);
    this.#room.close(closed);
    this.#making.close();
    this.#tending.close(closed);
    for (const entry of this.#idle) this.#dropIdle(entry, 'close');
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    this.#tellIfEmpty();
    const sites: (string | null)[] = [];
    const takeAway = () => {
      for (const entry of this.#lent) {
        sites.push(placeOf(entry.site));
        this.#end(entry);
        this.#destroying.entry(entry, 'close');
      }
    };
    const timer = this.options.clock.after(timeoutMs, takeAway, { keepAlive: true });
    signal?.addEventListener('abort', takeAway, { once: true });
    if (signal?.aborted) takeAway();
    await empty;
    timer.cancel();
    signal?.removeEventListener('abort', takeAway);
    this.#sweeper.cancel();
    this.#bytes.close();
    return sites;
  }

  /** Objects that are in the pool and not on their way out. */
  get #alive(): number {
    return this.#entries.size - this.#destroying.underWay;
  }

  get #coming(): number {
    return this.#tending.count + this.#making.inFlight;
  }

  #isGood(entry: Entry<T>): boolean {
    const { checkAfterIdleMs } = this.options;
    if (checkAfterIdleMs === 0) return false;
    this.#timeIdle();
    return entry.expiresAtMs > this.#nowMs && this.#nowMs - entry.goodAtMs < checkAfterIdleMs;
  }

  /** Reads the clock where it decides about a check. */
  #timeIdle(): void {
    const { checkAfterIdleMs, clock } = this.options;
    if (checkAfterIdleMs > 0 && checkAfterIdleMs < Number.POSITIVE_INFINITY) this.#nowMs = clock.monotonicMs();
  }

  #dropIdle(entry: Entry<T>, cause: DestroyCause): Promise<void> {
    this.#idle.remove(entry);
    return this.#destroying.entry(entry, cause);
  }

  #causeToDestroy(entry: Entry<T>, isBroken: boolean): DestroyCause | null {
    if (isBroken || entry.isBroken) return 'broken';
    if (this.isClosing) return 'close';
    if (entry.uses >= this.options.maxUses) return 'uses';
    if (entry.expiresAtMs <= this.#nowMs) return 'lifetime';
    return this.#alive > this.max ? 'surplus' : null;
  }

  #lend(entry: Entry<T>, site: Site | null): Lease<T> {
    entry.sinceMs = this.#nowMs;
    entry.uses++;
    entry.site = site;
    this.#lent.push(entry);
    this.#borrows++;
    const lease = new Lease<T>(this, entry);
    entry.lease = lease;
    return lease;
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
    if (this.#isGood(entry)) this.#deliver(entry);
    else if (this.#room.size > this.#coming) this.#tend(entry, 'check');
    else {
      this.#idle.pushByAge(entry);
      this.#supply();
    }
  }

  #deliver(entry: Entry<T>): void {
    if (!this.#room.serve((site) => this.#lend(entry, site))) {
      if (this.#alive > this.max) void this.#destroying.entry(entry, 'surplus');
      else this.#idle.pushByAge(entry);
    }
    this.#callOff();
  }

  /** Sees to it that something is on its way for everybody who waits, and that `min` are there. */
  #supply(): void {
    if (this.isClosing) {
      this.#tellIfEmpty();
      return;
    }
    while (this.#room.size > this.#coming) {
      const entry = this.#idle.last;
      if (entry === null) break;
      this.#idle.remove(entry);
      if (this.#isGood(entry)) this.#deliver(entry);
      else if (entry.expiresAtMs <= this.#nowMs) this.#destroying.entry(entry, 'lifetime');
      else this.#tend(entry, 'check');
    }
    const room = this.max - this.#entries.size - this.#making.inFlight;
    if (room <= 0) return;
    const forWaiters = this.#room.size - this.#coming;
    // Not while objects are on their way out: the budget still holds what their successors need.
    const missing = this.#destroying.underWay === 0 ? this.min - this.#alive - this.#making.inFlight : 0;
    const forMin = missing > 0 && this.options.clock.monotonicMs() >= this.#refillAfterMs ? missing : 0;
    const count = Math.min(Math.max(forWaiters, forMin), room);
    const begun = count > 0 ? this.#making.allowed(count) : 0;
    for (let index = 0; index < begun; index++) {
      this.#making.begin({ patienceMs: index < forWaiters ? this.#room.patienceMs : null });
    }
  }

  /** Lets attempts that wait for the budget go when nobody waits for them. */
  #callOff(): void {
    if (this.#making.inFlight === 0) return;
    this.#making.callOff(Math.max(this.#room.size - this.#tending.count, this.min - this.#alive));
  }

  #made(object: T, bytes: number): void {
    this.#nowMs = this.options.clock.monotonicMs();
    const nowMs = this.#nowMs;
    const entry = new Entry<T>({ object, bytes, nowMs, expiresAtMs: nowMs + lifetimeMs(this.options) });
    this.#entries.set(object, entry);
    this.#created++;
    if (this.isClosing) this.#destroying.entry(entry, 'close');
    else this.#deliver(entry);
  }

  /** Checks or resets an entry that stands in no list. */
  #tend(entry: Entry<T>, action: TendAction): void {
    entry.state = 'tended';
    this.#tending.begin(entry, action, this.options[action]!);
  }

  #tended(entry: Entry<T>, action: TendAction, problem: string | null): void {
    const cause = this.#causeToDestroy(entry, false) ?? (problem === null ? null : action);
    if (cause !== null) {
      this.#destroying.entry(entry, cause);
      this.#supply();
      return;
    }
    // A reset is no check: where every borrow is checked, so is this one.
    if (action === 'check') this.#timeIdle();
    entry.goodAtMs = this.#nowMs;
    if (action === 'reset' && !this.#room.isEmpty) this.#offer(entry);
    else this.#deliver(entry);
  }

  /** Bytes of idle objects above `min`. */
  #spareBytes(): number {
    return this.#idle.shareBytes(this.#alive - this.min);
  }

  async #giveUp({ targetBytes, belowMin }: { targetBytes: number; belowMin: boolean }): Promise<void> {
    const gone: Promise<void>[] = [];
    let bytes = 0;
    for (const entry of this.#idle) {
      if (bytes >= targetBytes || (!belowMin && this.#alive <= this.min)) break;
      bytes += entry.bytes;
      gone.push(this.#dropIdle(entry, 'reclaim'));
    }
    if (this.#alive < this.min) this.#refillAfterMs = this.options.clock.monotonicMs() + REFILL_PAUSE_MS;
    await Promise.all(gone);
  }

  #load() {
    const { max, name } = this;
    return { pool: name, max, size: this.#entries.size, borrowed: this.#lent.size, waiting: this.#room.size };
  }

  #sweep(): void {
    const nowMs = this.options.clock.monotonicMs();
    this.#nowMs = nowMs;
    this.#room.sweep();
    this.#tending.rest();
    this.#watch.sweep(this.#lent, { nowMs, sweepMs: this.sweepMs });
    if (this.isClosing) return;
    const now = { nowMs, spare: this.#alive - this.min, tended: this.#tending.count };
    for (const { entry, what } of dueOf(this.#idle, this.options, now)) {
      this.#idle.remove(entry);
      if (what === 'check') this.#tend(entry, what);
      else void this.#destroying.entry(entry, what);
    }
    this.#supply();
  }

  #tellIfEmpty(): void {
    if (this.#entries.size === 0 && this.#making.inFlight === 0) this.#onEmpty?.();
  }
}
