/** Who can be asked under an account, and what the plan needs to know of each. */
import { type Account, Branch, Leaf } from './account.ts';
import { wordOrFailure } from './asking.ts';
import type { Consumer } from './consumer.ts';
import type { Candidate, Pool } from './reclaim-plan.ts';

export interface LeafCandidate extends Candidate {
  readonly leaf: Leaf;
}

interface Place {
  /** Fair share of the account: the weights on the way down, each against its siblings, multiplied. */
  readonly share: number;
  readonly pools: readonly Pool[];
}

/** Every consumer under `account` that may be asked and says it has something to give. */
export function candidatesUnder(account: Account): LeafCandidate[] {
  const found: LeafCandidate[] = [];
  const visit = (each: Account, place: Place) => {
    if (each instanceof Leaf) {
      const candidate = candidateOf(each, place);
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
export function isAskable(leaf: Leaf): boolean {
  return (
    !leaf.isClosed && !leaf.isAsked && !leaf.isUnanswered && !leaf.trust.isQuarantined(leaf.tree.clock.monotonicMs())
  );
}

function within(place: Place, child: Branch | Leaf, weights: number): Place {
  const pool = { spareBytes: Math.max(0, child.committedBytes - child.minBytes) };
  const hasOwnMinimum = child instanceof Branch && child.minBytes > 0;
  return { share: (place.share * child.weight) / weights, pools: hasOwnMinimum ? [...place.pools, pool] : place.pools };
}

function candidateOf(leaf: Leaf, place: Place): LeafCandidate | null {
  const word = isAskable(leaf) ? wordOrFailure(leaf) : null;
  if (word === null || word.reclaimableBytes === 0) return null;
  const { consumer, priority, reservedBytes, trust } = leaf;
  const valueOfLast = consumer.valueOfLast && ((bytes: number) => valueOrNone(consumer, bytes));
  return { leaf, priority, reservedBytes, ...word, yieldRatio: trust.yieldRatio, valueOfLast, ...place };
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
