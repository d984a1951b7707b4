/**
 * Quotas: what one owner (a tenant, an agent) may hold in holders that many owners share.
 *
 * A holder that belongs to one owner stands in a budget of its own (`Budget.child`). A cache or a session pool holds bytes of
 * thousands; a consumer for each of them would make every reclaim a walk over thousands. So such a holder is one consumer, and charges
 * each entry here as well. The rules are the same: what an owner takes never exceeds its limit; an owner at its limit makes room among
 * its *own* entries or is refused, and so pushes nobody out; an owner above a limit that was lowered is asked first, by every holder,
 * before anybody else gives anything.
 *
 * An owner without a limit of its own has the common one, or none, and is counted then. The books of owners that hold nothing are
 * dropped, so a million tenants that came once cost nothing.
 */
import { requireBytes } from '../base/bytes.ts';
import { InvalidArgumentError } from '../base/errors.ts';

const MAX_OWNER_LENGTH = 256;

/** What a holder needs of quotas. */
export interface QuotaBook {
  /** Charges `bytes` to `owner` if that stays within its limit. */
  tryCharge(owner: string, bytes: number): boolean;
  /** Gives `bytes` back that were charged before. */
  refund(owner: string, bytes: number): void;
  /** What `owner` may still take: below 0 above its limit, `Infinity` without one. */
  roomBytes(owner: string): number;
  /** What `owner` holds above its limit; 0 within it. */
  excessBytes(owner: string): number;
  /** Owners above their limits. */
  readonly overLimit: ReadonlySet<string>;
}

/** One owner's books. */
export interface QuotaUse {
  readonly owner: string;
  readonly usedBytes: number;
  /** Null for none. */
  readonly limitBytes: number | null;
  /** How often it was refused while it held something. */
  readonly refusals: number;
}

interface Books {
  usedBytes: number;
  refusals: number;
}

/** The quotas of one node; handed to its holders. */
export class Quotas implements QuotaBook {
  readonly #limits = new Map<string, number>();
  readonly #books = new Map<string, Books>();
  readonly #overLimit = new Set<string>();
  #commonLimitBytes: number;

  /**
   * @param options `limitBytes`: what each owner without a limit of its own may hold; no limit by default.
   * @throws InvalidArgumentError for anything but a whole number of bytes.
   */
  constructor({ limitBytes }: { readonly limitBytes?: number | undefined } = {}) {
    this.#commonLimitBytes =
      limitBytes === undefined ? Number.POSITIVE_INFINITY : requireBytes(limitBytes, 'limitBytes');
  }

  get overLimit(): ReadonlySet<string> {
    return this.#overLimit;
  }

  /**
   * Sets what `owner` may hold over all holders together; null for the common limit. Below what it holds nothing is taken away at once:
   * it gets nothing more, and is the first to give.
   *
   * @throws InvalidArgumentError for a bad owner or size.
   */
  setLimit(owner: string, limitBytes: number | null): void {
    requireOwner(owner);
    if (limitBytes === null) this.#limits.delete(owner);
    else this.#limits.set(owner, requireBytes(limitBytes, 'limitBytes'));
    this.#judge(owner);
  }

  /** What each owner without a limit of its own may hold; null for no limit. */
  setCommonLimit(limitBytes: number | null): void {
    this.#commonLimitBytes = limitBytes === null ? Number.POSITIVE_INFINITY : requireBytes(limitBytes, 'limitBytes');
    for (const owner of this.#books.keys()) this.#judge(owner);
  }

  /**
   * Charges `bytes` to `owner`; false, and counted as a refusal, when that would take it over its limit.
   *
   * @throws InvalidArgumentError for a bad owner or size.
   */
  tryCharge(owner: string, bytes: number): boolean {
    requireOwner(owner);
    requireBytes(bytes, 'bytes');
    const books = this.#books.get(owner);
    if ((books?.usedBytes ?? 0) + bytes > this.#limitOf(owner)) {
      if (books) books.refusals++;
      return false;
    }
    if (books) books.usedBytes += bytes;
    else if (bytes > 0) this.#books.set(owner, { usedBytes: bytes, refusals: 0 });
    return true;
  }

  /**
   * @throws InvalidArgumentError for more than is charged: a holder that refunds twice would let its owner take twice.
   */
  refund(owner: string, bytes: number): void {
    requireBytes(bytes, 'bytes');
    const books = this.#books.get(owner);
    if (bytes > (books?.usedBytes ?? 0)) {
      const message = `cannot refund ${bytes}, only ${books?.usedBytes ?? 0} are charged to ${JSON.stringify(owner)}.`;
      throw new InvalidArgumentError('bytes', message);
    }
    if (books === undefined) return;
    books.usedBytes -= bytes;
    if (books.usedBytes === 0) this.#books.delete(owner);
    this.#judge(owner);
  }

  roomBytes(owner: string): number {
    return this.#limitOf(owner) - this.usedBytes(owner);
  }

  excessBytes(owner: string): number {
    return Math.max(0, -this.roomBytes(owner));
  }

  /** What `owner` holds now, over all holders. */
  usedBytes(owner: string): number {
    return this.#books.get(owner)?.usedBytes ?? 0;
  }

  /** The `count` owners that hold most, largest first. */
  largest(count: number): readonly QuotaUse[] {
    return [...this.#books]
      .map(([owner, { usedBytes, refusals }]) => {
        const limitBytes = this.#limitOf(owner);
        return { owner, usedBytes, limitBytes: Number.isFinite(limitBytes) ? limitBytes : null, refusals };
      })
      .sort((one, other) => other.usedBytes - one.usedBytes)
      .slice(0, count);
  }

  #limitOf(owner: string): number {
    return this.#limits.get(owner) ?? this.#commonLimitBytes;
  }

  #judge(owner: string): void {
    if (this.excessBytes(owner) > 0) this.#overLimit.add(owner);
    else this.#overLimit.delete(owner);
  }
}

function requireOwner(owner: string): void {
  if (typeof owner === 'string' && owner !== '' && owner.length <= MAX_OWNER_LENGTH) return;
  throw new InvalidArgumentError('owner', `must be a string of 1 to ${MAX_OWNER_LENGTH} characters.`);
}
