/**
 * The bytes of one holder: its consumer, its registration, and one reservation with a little slack in it.
 *
 * What every holder would otherwise write for itself. `tryTake` and `release` move a number of the holder's own and
 * reach for the books only when the slack is used up or has become too much, so a cache that evicts one entry for
 * another does not hand the bytes to a stranger in between, and pays nothing for it.
 *
 *   reserved ─┬─ used   what the holder says it holds now
 *             └─ slack  given back first when the budget asks; at most a 64th of what is used, 4 KiB at least, 1 MiB at most
 *
 * Asked to give, it gives slack; then `drop` is called for the rest, and what that has released is given back. The
 * claim is what the books show, so a holder built on this cannot lie.
 */
import { KIB, MIB, requireBytes } from '../base/bytes.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import type { Budget } from './budget.ts';
import type { Consumer, ReclaimRequest } from './consumer.ts';
import type { Leak, Registration } from './registration.ts';
import type { GrowOptions, Reservation } from './reservation.ts';

const SLACK_SHARE = 1 / 64;
const LEAST_SLACK_BYTES = 4 * KIB;
const MOST_SLACK_BYTES = MIB;

/** What a holder tells of itself, and how it gives. */
export interface HolderOptions
  extends Pick<Consumer, 'name' | 'where' | 'priority' | 'weight' | 'minBytes' | 'maxBytes' | 'pieceBytes'> {
  /** Where the bytes are counted. */
  readonly budget: Budget;
  /** Bytes of those in use that could be dropped now: O(1), must not throw. All of them by default. */
  droppableBytes?(): number;
  /** Bytes of those in use that are expired or idle; 0 by default. */
  idleBytes?(): number;
  /** Hits per second lost by dropping the least valuable `bytes` of those in use. */
  valueOfLast?(bytes: number): number;
  /**
   * Drops at least `targetBytes` if it can, calling `release` for what it drops. Must not take bytes. What it throws counts as its
   * failure; what it had released by then is given back all the same.
   */
  drop(request: ReclaimRequest): unknown;
}

/** Made by a holder in its constructor, closed when it closes. */
export class HolderBytes implements Disposable {
  readonly #registration: Registration;
  readonly #reservation: Reservation;
  #usedBytes = 0;

  /**
   * Registers the holder.
   *
   * @throws What `Budget.register` throws.
   */
  constructor(options: HolderOptions) {
    const { budget, name, where, priority, weight, minBytes, maxBytes, pieceBytes } = options;
    const { idleBytes, valueOfLast } = options;
    this.#registration = budget.register({
      ...{ name, where, priority },
      ...(weight !== undefined && { weight }),
      ...(minBytes !== undefined && { minBytes }),
      ...(maxBytes !== undefined && { maxBytes }),
      ...(pieceBytes !== undefined && { pieceBytes }),
      reclaimableBytes: () => this.slackBytes + (options.droppableBytes?.() ?? this.#usedBytes),
      usedBytes: () => this.#usedBytes,
      ...(idleBytes && { idleBytes: () => idleBytes.call(options) }),
      ...(valueOfLast && {
        valueOfLast: (bytes: number) => valueOfLast.call(options, Math.max(0, bytes - this.slackBytes)),
      }),
      reclaim: (request) => this.#reclaim(request, (rest) => options.drop(rest)),
    });
    this.#reservation = this.#registration.reserve();
  }

  /** Names from the root down to the consumer, joined by `/`. */
  get path(): string {
    return this.#registration.path;
  }

  /** What the holder says it holds. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** What the books say it holds: used and slack. */
  get reservedBytes(): number {
    return this.#reservation.bytes;
  }

  /** Reserved and not used. */
  get slackBytes(): number {
    return this.#reservation.bytes - this.#usedBytes;
  }

  /** The most it ever reserved. */
  get peakBytes(): number {
    return this.#registration.peakBytes;
  }

  /**
   * Takes `bytes` if the slack or the budget has them now; never waits.
   *
   * @throws InvalidArgumentError for anything but a whole number of bytes; ClosedError after close.
   */
  tryTake(bytes: number): boolean {
    const usedBytes = this.#usedBytes + bytes;
    const lackBytes = usedBytes - this.#reservation.bytes;
    if (!(lackBytes <= 0 && bytes >= 0 && Number.isSafeInteger(bytes))) {
      requireBytes(bytes, 'bytes');
      if (!this.#reserve(lackBytes, usedBytes)) return false;
    }
    this.#usedBytes = usedBytes;
    return true;
  }

  /**
   * Takes `bytes`, waiting for room if need be; see `Reservation.grow` for how, and for what it rejects with.
   */
  async take(bytes: number, options?: GrowOptions): Promise<void> {
    options?.signal?.throwIfAborted();
    if (this.tryTake(bytes)) return;
    // A reservation of its own: what is granted to it cannot be taken for slack before this call has woken up.
    using arriving = this.#registration.reserve();
    await arriving.grow(bytes, options);
    arriving.moveTo(this.#reservation, bytes);
    this.#usedBytes += bytes;
  }

  /**
   * Says that `bytes` are no longer used. They stay reserved as slack, for what is taken next; what is too much goes back with
   * `settle`.
   *
   * @throws InvalidArgumentError for a bad size or more than is used.
   */
  release(bytes: number): void {
    if (!(bytes <= this.#usedBytes && bytes >= 0 && Number.isSafeInteger(bytes))) {
      requireBytes(bytes, 'bytes');
      throw new InvalidArgumentError(
        'bytes',
        `cannot release ${bytes}, only ${this.#usedBytes} are used (${this.path}).`,
      );
    }
    this.#usedBytes -= bytes;
  }

  /** Gives back what slack there is too much of. Called at the end of whatever released bytes. */
  settle(): void {
    const excessBytes = this.slackBytes - slackFor(this.#usedBytes);
    if (excessBytes > 0) this.#reservation.shrink(excessBytes);
  }

  /** Changes the most it may reserve; above that it takes nothing until it has released enough by itself. */
  setMaxBytes(maxBytes: number): void {
    this.#registration.setMaxBytes(maxBytes);
  }

  /** Ends the registration. Bytes still used are a leak: reported as `budget.leaked`, and returned. Closing twice is harmless. */
  close(): Leak | null {
    if (this.#registration.isClosed) return null;
    this.#reservation.shrink(this.slackBytes);
    return this.#registration.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #reserve(lackBytes: number, usedBytes: number): boolean {
    if (this.#registration.isClosed) throw new ClosedError(`The holder ${this.path}`);
    if (lackBytes <= 0) return true;
    const spareBytes = slackFor(usedBytes) >> 1;
    return this.#reservation.tryGrow(lackBytes + spareBytes) || this.#reservation.tryGrow(lackBytes);
  }

  #reclaim(request: ReclaimRequest, drop: (rest: ReclaimRequest) => unknown): number | Promise<number> {
    const { targetBytes, kind } = request;
    let givenBytes = 0;
    const give = (): number => {
      const bytes = Math.min(this.slackBytes, targetBytes - givenBytes);
      this.#reservation.shrink(bytes);
      givenBytes += bytes;
      return givenBytes;
    };
    give();
    if (kind === 'unused' || givenBytes === targetBytes) return givenBytes;
    let dropping: unknown;
    try {
      dropping = drop({ ...request, targetBytes: targetBytes - givenBytes });
    } catch (error) {
      give();
      throw error;
    }
    if (!(dropping instanceof Promise)) return give();
    return dropping.then(give, (error: unknown) => {
      give();
      throw error;
    });
  }
}

function slackFor(usedBytes: number): number {
  return Math.min(MOST_SLACK_BYTES, Math.max(LEAST_SLACK_BYTES, Math.floor(usedBytes * SLACK_SHARE)));
}
