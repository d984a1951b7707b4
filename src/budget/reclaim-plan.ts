/**
 * Who is asked for how much, in which order. Pure: the same input gives the same plan.
 *
 * 1. **Idle**: bytes that are expired or idle are worth nothing to anybody; they go first, whoever holds them.
 * 2. **Unused**: what is reserved and not used costs nobody a hit.
 * 3. **Live**: strictly by priority, 10 first and 0 last. Within one priority by *marginal value*: the target is cut
 *    into steps and each step is taken where it costs the fewest hits per second for each byte that really comes. For
 *    consumers with falling returns that greedy choice is the optimum (Fox, 1966). A consumer that does not tell what
 *    its bytes are worth claims no value beyond its priority; among such the step is taken from the one that holds
 *    most for its fair share, so their holdings even out.
 *
 * Each ask is corrected by the consumer's measured yield: one that gives half is asked for twice as much, and its
 * bytes cost twice as much. Nothing is asked that would take a consumer, or a budget with a minimum of its own, below
 * its minimum. One that gives in pieces is asked for whole ones.
 */

import type { ReclaimKind } from './consumer.ts';
import { LowestFirst } from './lowest-first.ts';

/** What the plan knows of one consumer. */
export interface Candidate {
  /** 0 to 10; 10 gives first. */
  readonly priority: number;
  /** Its fair share of all that the plan is about, more than 0. */
  readonly share: number;
  readonly reservedBytes: number;
  /** What it could give, its minimum left aside. */
  readonly reclaimableBytes: number;
  readonly idleBytes: number;
  readonly unusedBytes: number;
  /** It gives in pieces of this size; 1 for any size. */
  readonly pieceBytes: number;
  /** Bytes to expect for each byte asked, more than 0, up to 1. */
  readonly yieldRatio: number;
  /** Hits per second lost with its least valuable `bytes`. */
  readonly valueOfLast?: ((bytes: number) => number) | undefined;
  /** Budgets with a minimum that its bytes count towards. */
  readonly pools: readonly Pool[];
}

/** A budget's bytes above its minimum, shared by its consumers. */
export interface Pool {
  readonly spareBytes: number;
}

/** Ask `candidate` for `askBytes`, and expect `expectedBytes`. */
export interface ReclaimStep<C extends Candidate = Candidate> {
  readonly candidate: C;
  readonly kind: ReclaimKind;
  readonly askBytes: number;
  readonly expectedBytes: number;
}

export interface PlanInput<C extends Candidate> {
  readonly targetBytes: number;
  readonly candidates: readonly C[];
  /** Live bytes are taken from this priority upwards; 0, so from everybody, by default. */
  readonly leastPriority?: number;
}

const STEPS = 32;
/** Less than half a byte still needed is a rounding error of the yields. */
const NOTHING_BYTES = 0.5;
const LEAST_STEP_BYTES = 64 * 1024;

/** The steps that together should bring `targetBytes`, or all there is, in the order to take them. */
export function planReclaim<C extends Candidate>({
  targetBytes,
  candidates,
  leastPriority = 0,
}: PlanInput<C>): ReclaimStep<C>[] {
  const plan = new Plan<C>(targetBytes, candidates);
  const byPriority = [...candidates].sort((a, b) => b.priority - a.priority);
  for (const candidate of byPriority) plan.ask(candidate, 'idle', candidate.idleBytes);
  for (const candidate of byPriority) plan.ask(candidate, 'unused', candidate.unusedBytes);
  const priorities = new Set(
    byPriority.map((candidate) => candidate.priority).filter((priority) => priority >= leastPriority),
  );
  for (const priority of priorities) {
    plan.askByValue(byPriority.filter((candidate) => candidate.priority === priority));
  }
  return plan.steps();
}

class Plan<C extends Candidate> {
  readonly #asks: Record<ReclaimKind, Map<C, number>> = { idle: new Map(), unused: new Map(), live: new Map() };
  readonly #askedBytes = new Map<C, number>();
  readonly #poolBytes = new Map<Pool, number>();
  #remainingBytes: number;

  constructor(targetBytes: number, candidates: readonly C[]) {
    this.#remainingBytes = targetBytes;
    for (const { pools } of candidates) for (const pool of pools) this.#poolBytes.set(pool, pool.spareBytes);
  }

  /** Asks for at most `bytes`: no more than is needed, left to give, or spare in its pools. */
  ask(candidate: C, kind: ReclaimKind, bytes: number): void {
    if (this.#remainingBytes < NOTHING_BYTES) return;
    const neededBytes = Math.ceil(this.#remainingBytes / candidate.yieldRatio);
    const askBytes = Math.min(bytes, inPieces(candidate, neededBytes), this.#roomBytes(candidate));
    if (askBytes <= 0) return;
    const asks = this.#asks[kind];
    asks.set(candidate, (asks.get(candidate) ?? 0) + askBytes);
    this.#askedBytes.set(candidate, this.#askedOf(candidate) + askBytes);
    for (const pool of candidate.pools) this.#poolBytes.set(pool, this.#poolBytes.get(pool)! - askBytes);
    this.#remainingBytes -= askBytes * candidate.yieldRatio;
  }

  /**
   * Asks for what is still needed, piece by piece, each where it costs least. An offer changes only when its candidate is asked, or
   * when a pool it shares has shrunk; so each is looked at again when it comes to the top, and not before.
   */
  askByValue(candidates: readonly C[]): void {
    const stepBytes = Math.max(LEAST_STEP_BYTES, Math.ceil(this.#remainingBytes / STEPS));
    const offers = new LowestFirst<Offer<C>>(isCheaper);
    const renew = (candidate: C) => {
      const offer = this.#offerOf(candidate, stepBytes);
      if (offer) offers.add(offer);
    };
    for (const candidate of candidates) renew(candidate);
    while (this.#remainingBytes >= NOTHING_BYTES) {
      const offer = offers.take();
      if (!offer) return;
      if (this.#roomBytes(offer.candidate) >= offer.askBytes) this.ask(offer.candidate, 'live', offer.askBytes);
      renew(offer.candidate);
    }
  }

  #offerOf(candidate: C, stepBytes: number): Offer<C> | null {
    const askBytes = Math.min(
      inPieces(candidate, Math.ceil(stepBytes / candidate.yieldRatio)),
      this.#roomBytes(candidate),
    );
    if (askBytes <= 0) return null;
    const askedBytes = this.#askedOf(candidate);
    return {
      candidate,
      askBytes,
      cost: marginalValue(candidate, askedBytes, askBytes) / (askBytes * candidate.yieldRatio),
      burden: ((candidate.reservedBytes - askedBytes) / candidate.share) * candidate.yieldRatio,
    };
  }

  steps(): ReclaimStep<C>[] {
    const kinds: ReclaimKind[] = ['idle', 'unused', 'live'];
    return kinds.flatMap((kind) =>
      [...this.#asks[kind]].map(([candidate, askBytes]) => {
        return { candidate, kind, askBytes, expectedBytes: Math.floor(askBytes * candidate.yieldRatio) };
      }),
    );
  }

  #askedOf(candidate: C): number {
    return this.#askedBytes.get(candidate) ?? 0;
  }

  #roomBytes(candidate: C): number {
    let roomBytes = candidate.reclaimableBytes - this.#askedOf(candidate);
    for (const pool of candidate.pools) roomBytes = Math.min(roomBytes, this.#poolBytes.get(pool)!);
    return roomBytes;
  }
}

/** What a candidate would give next, and what that costs. */
interface Offer<C> {
  readonly candidate: C;
  readonly askBytes: number;
  /** Hits per second lost for each byte that comes. */
  readonly cost: number;
  /** What it holds for its fair share; among equals the heaviest gives. */
  readonly burden: number;
}

function isCheaper(one: Offer<Candidate>, other: Offer<Candidate>): boolean {
  return one.cost < other.cost || (one.cost === other.cost && one.burden > other.burden);
}

function inPieces({ pieceBytes }: Candidate, bytes: number): number {
  return pieceBytes === 1 ? bytes : Math.ceil(bytes / pieceBytes) * pieceBytes;
}

/** Hits per second lost by going from `askedBytes` to `askBytes` more; a word that is no value counts as none. */
function marginalValue(candidate: Candidate, askedBytes: number, askBytes: number): number {
  if (!candidate.valueOfLast) return 0;
  const lost =
    candidate.valueOfLast(askedBytes + askBytes) - (askedBytes === 0 ? 0 : candidate.valueOfLast(askedBytes));
  return Math.max(0, lost);
}
