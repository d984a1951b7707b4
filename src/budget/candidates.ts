/** Who can be asked under an account, and what the plan needs to know of each. */
import { type Account, Branch, Leaf } from './account.ts';
import { wordOrFailure } from './asking.ts';
import type { Consumer, Residence } from './consumer.ts';
import type { Candidate, Pool } from './reclaim-plan.ts';

export interface LeafCandidate extends Candidate {
  readonly leaf: Leaf;
}

interface Place {
  /** Fair share of the account: the weights on the way down, each against its siblings, multiplied. */
  readonly share: number;
  readonly pools: readonly Pool[];
}

/** Which consumers are looked at. */
export interface Choice {
  /** Whose bytes live there; everybody when left out. */
  readonly where?: readonly Residence[] | undefined;
  /** Those too that are left alone for having broken their word: when it comes to the worst. */
  readonly forgiving: boolean;
}

/** Every consumer under `account` that may be asked and says it has something to give. */
export function candidatesUnder(account: Account, choice: Choice): LeafCandidate[] {
  const found: LeafCandidate[] = [];
  const visit = (each: Account, place: Place) => {
    if (each instanceof Leaf) {
      if (choice.where && !choice.where.includes(each.where)) return;
      const candidate = candidateOf(each, { place, forgiving: choice.forgiving });
      if (candidate) found.push(candidate);
    } else if (each instanceof Branch) {
      const children = [...each.children.values()];
      const weights = children.reduce((sum, child) => sum + child.weight, 0);
      for (const child of children) visit(child, within(place, child, weights));
    }
  };
  visit(account, { share: 1, pools: [] });
  return found;
}

/**
 * False for one that is closed, being asked, has yet to answer an earlier asking, or is left alone for breaking its
 * word.
 */
export function isAskable(leaf: Leaf, { forgiving }: Pick<Choice, 'forgiving'>): boolean {
  if (leaf.isClosed || leaf.asked !== 'no' || leaf.isUnanswered) return false;
  return forgiving || !leaf.trust.isQuarantined(leaf.tree.clock.monotonicMs());
}

function within(place: Place, child: Branch | Leaf, weights: number): Place {
  const pool = { spareBytes: Math.max(0, child.committedBytes - child.minBytes) };
  const hasOwnMinimum = child instanceof Branch && child.minBytes > 0;
  return { share: (place.share * child.weight) / weights, pools: hasOwnMinimum ? [...place.pools, pool] : place.pools };
}

function candidateOf(leaf: Leaf, how: { place: Place; forgiving: boolean }): LeafCandidate | null {
  const word = isAskable(leaf, how) ? wordOrFailure(leaf) : null;
  if (word === null || word.reclaimableBytes === 0) return null;
  const { consumer, priority, reservedBytes, trust } = leaf;
  const valueOfLast = consumer.valueOfLast && ((bytes: number) => valueOrNone(consumer, bytes));
  const { pieceBytes = 1 } = consumer;
  return {
    leaf,
    priority,
    reservedBytes,
    ...word,
    pieceBytes,
    yieldRatio: trust.yieldRatio,
    valueOfLast,
    ...how.place,
  };
}

/** A consumer that fails to say what its bytes are worth claims no value for them. */
function valueOrNone(consumer: Consumer, bytes: number): number {
  try {
    const value = consumer.valueOfLast?.(bytes) ?? 0;
    return Number.isFinite(value) ? value : 0;
  } catch {
    return 0;
  }
}
