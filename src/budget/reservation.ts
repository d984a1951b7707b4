/**
 * Bytes somebody holds: the part of the budget that a holder touches on every insert and eviction.
 *
 * `tryGrow` and `shrink` walk up the accounts and change plain numbers: no waiting, no promise, no garbage on
 * success. `grow` is for those who would rather wait than be refused. A reservation is not divided among threads and
 * does not know what its bytes are.
 */
import { listenForAbort } from '../base/abort.ts';
import { formatBytes, requireBytes } from '../base/bytes.ts';
import { checkedDelay } from '../base/clock.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import type { Account, Leaf } from './account.ts';
import { BudgetExceededError, ReclaimReentryError } from './budget-errors.ts';
import { accountOf, enqueue, give, lineFor, take, withdraw } from './granting.ts';
import { largestHoldings } from './snapshot.ts';
import { Request } from './waiting-line.ts';

const DEFAULT_GROW_TIMEOUT_MS = 30_000;
const HOLDERS_NAMED = 5;

/** How a `grow` waits. */
export interface GrowOptions {
  /**
   * How long to wait for room, 0 to 2^31 - 1 ms; 30,000 by default. With 0 only what can be reclaimed at once is
   * waited for.
   */
  readonly timeoutMs?: number;
  /** Ends the wait; `grow` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Made by `Registration.reserve()`. */
export class Reservation implements Disposable {
  readonly #leaf: Leaf;
  readonly #onFree: (reservation: Reservation) => void;
  #bytes = 0;
  #isFree = false;
  #waiting: Set<Request<Leaf>> | null = null;

  /** @internal */
  constructor(leaf: Leaf, onFree: (reservation: Reservation) => void) {
    this.#leaf = leaf;
    this.#onFree = onFree;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes `bytes` more if there is room now and nobody older waits for it; never waits. False also while the consumer
   * is being asked to give bytes back.
   *
   * @throws InvalidArgumentError for anything but a whole number of bytes, 0 or more; ClosedError after `free` or close.
   */
  tryGrow(bytes: number): boolean {
    this.#check(bytes);
    if (bytes === 0) return true;
    const leaf = this.#leaf;
    if (leaf.asked !== 'no' || lineFor(leaf, bytes, Number.POSITIVE_INFINITY) !== null) return false;
    take(leaf, bytes);
    this.#bytes += bytes;
    return true;
  }

  /**
   * Takes `bytes` more, asking consumers to give and waiting in line if need be.
   *
   * Do not hold a lock across it that your own `reclaim` needs: you may be asked to give while you wait.
   *
   * @throws BudgetExceededError when the bytes could never fit or did not come free in time; ReclaimReentryError from within the
   * consumer's own `reclaim` (while it works on in a promise, requests wait for its answer); ClosedError after `free` or close, also while waiting; InvalidArgumentError for a bad size
   * or time; the signal's reason.
   */
  async grow(bytes: number, { timeoutMs = DEFAULT_GROW_TIMEOUT_MS, signal }: GrowOptions = {}): Promise<void> {
    this.#check(bytes);
    checkedDelay(timeoutMs, 'timeoutMs');
    signal?.throwIfAborted();
    if (this.#leaf.asked === 'called') throw new ReclaimReentryError(this.#leaf.path);
    if (this.tryGrow(bytes)) return;
    const tooSmall = this.#tooSmallFor(bytes);
    if (tooSmall !== null) throw this.#refusal({ account: tooSmall, bytes, reason: 'too_large', waitedMs: 0 });
    await this.#wait(bytes, timeoutMs, signal);
  }

  /**
   * Gives `bytes` back.
   *
   * @throws InvalidArgumentError for a bad size or more than is held; ClosedError after `free` or close.
   */
  shrink(bytes: number): void {
    this.#check(bytes);
    this.#requireHeld(bytes, 'shrink by');
    if (bytes === 0) return;
    this.#bytes -= bytes;
    give(this.#leaf, bytes);
  }

  /**
   * Hands `bytes` to another reservation of the same consumer. The books stay as they are: nobody is asked and nobody can come in
   * between.
   *
   * @throws InvalidArgumentError for a bad size, more than is held, or a reservation of another consumer; ClosedError after `free` or
   * close of either.
   */
  moveTo(other: Reservation, bytes: number): void {
    this.#check(bytes);
    other.#check(bytes);
    if (other.#leaf !== this.#leaf) {
      throw new InvalidArgumentError(
        'other',
        `must be a reservation of ${this.#leaf.path}; it is one of ${other.#leaf.path}.`,
      );
    }
    this.#requireHeld(bytes, 'move');
    this.#bytes -= bytes;
    other.#bytes += bytes;
  }

  /**
   * Gives everything back and ends the reservation; a `grow` still waiting is rejected.
   *
   * @throws ClosedError when it was freed before: its bytes may be somebody else's by now. (Disposing twice is harmless.)
   */
  free(): void {
    this.#check(0);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#isFree) return;
    this.#isFree = true;
    for (const request of [...(this.#waiting ?? [])].reverse()) request.refused(new ClosedError(this.#name));
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (bytes > 0) give(this.#leaf, bytes);
    this.#onFree(this);
  }

  get #name(): string {
    return `A reservation of ${this.#leaf.path}`;
  }

  #check(bytes: number): void {
    if (!(bytes >= 0 && Number.isSafeInteger(bytes))) requireBytes(bytes, 'bytes');
    if (this.#isFree) throw new ClosedError(this.#name);
  }

  #requireHeld(bytes: number, action: string): void {
    if (bytes <= this.#bytes) return;
    const message = `cannot ${action} ${bytes}, only ${this.#bytes} are held (${this.#leaf.path}).`;
    throw new InvalidArgumentError('bytes', message);
  }

  #wait(bytes: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const leaf = this.#leaf;
    const { clock } = leaf.tree;
    this.#waiting ??= new Set();
    const waiting = this.#waiting;
    const startMs = clock.monotonicMs();
    return new Promise((resolve, reject) => {
      const finish = () => {
        waiting.delete(request);
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      const request = new Request<Leaf>({
        owner: leaf,
        bytes,
        priority: leaf.priority,
        order: leaf.tree.requestCount++,
        granted: () => {
          finish();
          this.#bytes += bytes;
          resolve();
        },
        refused: (reason) => {
          finish();
          withdraw(request);
          reject(reason);
        },
      });
      const onAbort = () => request.refused(signal?.reason);
      const timer = clock.after(
        timeoutMs,
        () => {
          const waitedMs = clock.monotonicMs() - startMs;
          request.refused(this.#refusal({ account: accountOf(request), bytes, reason: 'timeout', waitedMs }));
        },
        { keepAlive: true },
      );
      if (signal) listenForAbort(signal, onAbort);
      waiting.add(request);
      enqueue(request);
    });
  }

  /**
   * The account in which this reservation could not grow by `bytes` even if all others fell to their minimums; null
   * if there is none.
   */
  #tooSmallFor(bytes: number): Account | null {
    let leastBytes = this.#bytes + bytes;
    let account: Account = this.#leaf;
    if (leastBytes > account.limitBytes) return account;
    for (let parent = account.parent; parent !== null; parent = parent.parent) {
      leastBytes = parent.childFloorBytes - account.floorBytes + Math.max(leastBytes, account.minBytes);
      if (leastBytes > parent.limitBytes) return parent;
      account = parent;
    }
    const { heap, minBytes } = this.#leaf;
    if (heap === null) return null;
    const leastOnHeapBytes = heap.floorBytes - minBytes + Math.max(this.#bytes + bytes, minBytes);
    return leastOnHeapBytes > heap.limitBytes ? heap : null;
  }

  #refusal(options: {
    account: Account;
    bytes: number;
    reason: 'too_large' | 'timeout';
    waitedMs: number;
  }): BudgetExceededError {
    const { account, bytes, reason, waitedMs } = options;
    const error = new BudgetExceededError({
      path: account.path,
      consumer: this.#leaf.path,
      requestBytes: bytes,
      limitBytes: account.effectiveLimitBytes,
      reservedBytes: account.reservedBytes,
      reason,
      waitedMs,
      holders: largestHoldings(account, HOLDERS_NAMED),
    });
    const { tree } = this.#leaf;
    const { path, consumer, requestBytes, limitBytes, reservedBytes } = error;
    const holders = error.holders.map((holding) => `${holding.path} ${formatBytes(holding.bytes)}`);
    const atMs = tree.clock.nowMs();
    tree.emit({
      type: 'budget.refused',
      atMs,
      path,
      consumer,
      requestBytes,
      limitBytes,
      reservedBytes,
      reason,
      waitedMs,
      holders,
    });
    return error;
  }
}
