/**
 * The face a holder shows the budget.
 *
 * A consumer says what it is, what it may give back, and gives it back when asked. What it *holds* is not its word
 * but its reservations: the budget believes the books, and remembers how far the word was from them.
 */
import type { Level } from '../base/levels.ts';

export const RESIDENCES = ['heap', 'slab', 'native', 'disk-cache'] as const;
/** Where a consumer's bytes live; it decides how soon freed bytes leave the process. Those of a `disk-cache` are not in it. */
export type Residence = (typeof RESIDENCES)[number];

/** Idle bytes are worth nothing to anybody, unused ones cost nobody a hit, live ones do. */
export type ReclaimKind = 'idle' | 'unused' | 'live';

/** What a consumer is asked to give. */
export interface ReclaimRequest {
  /**
   * Bytes asked for. Giving less is remembered; a little more (the rest of a slab) is fine, far more counts as a
   * failure.
   */
  readonly targetBytes: number;
  /**
   * What is wanted: bytes that are `idle`, bytes reserved and `unused`, or `live` ones. A consumer that cannot tell them apart gives what
   * it has.
   */
  readonly kind: ReclaimKind;
  readonly level: Level;
  /** Time allowed, in milliseconds from the call; the signal aborts when it has passed. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** Whoever holds bytes and can give some back. */
export interface Consumer {
  readonly name: string;
  readonly where: Residence;
  /** 1 to 10: 10 gives first. 0 is the last resort. */
  readonly priority: number;
  /** Fair share against its siblings; positive, 1 by default. */
  readonly weight?: number;
  /** Never asked to fall below this; 0 by default. */
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** Where bytes can only be given in pieces (slabs, a whole index): the size of one. It is asked for whole pieces then. */
  readonly pieceBytes?: number;
  /** Bytes it could give back now, idle and unused ones among them. Called often: must be O(1) and must not throw. */
  reclaimableBytes(): number;
  /** Bytes among them that are expired or idle: worth nothing to anybody. 0 where unknown. */
  idleBytes?(): number;
  /**
   * Bytes of its reservations in use; what they hold above that is asked back before anything live. All of them where
   * unknown.
   */
  usedBytes?(): number;
  /**
   * Hits per second lost by giving up the least valuable `bytes`, each weighted by what its miss costs against those of the other
   * consumers (1 where nobody says otherwise). The budget compares consumers by it.
   */
  valueOfLast?(bytes: number): number;
  /**
   * Gives back at least `targetBytes` if it can, shrinks its reservations before it answers, and returns the bytes it
   * claims to have freed. Must not grow: until it has answered, `tryGrow` returns false for this consumer, and `grow` rejects
   * within the call and waits while a promise is pending.
   */
  reclaim(request: ReclaimRequest): Promise<number> | number;
}
