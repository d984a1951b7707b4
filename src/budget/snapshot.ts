/**
 * The budget as data: what the dashboard, the history and an error message show. Read only; asks no consumer for
 * anything but its word.
 */
import { type Account, Branch, HeapAccount, Leaf, NO_LIMIT_BYTES } from './account.ts';
import type { Holding } from './budget-errors.ts';
import type { Residence } from './consumer.ts';
import { type ConsumerWord, wordOf } from './consumer-word.ts';

/** One consumer, at one moment. */
export interface ConsumerSnapshot {
  readonly name: string;
  readonly path: string;
  readonly where: Residence;
  readonly priority: number;
  readonly bytes: number;
  readonly peakBytes: number;
  readonly minBytes: number;
  readonly maxBytes?: number | undefined;
  /** What it says it could give, never below its minimum; 0 when its answer is no size. */
  readonly reclaimableBytes: number;
  readonly idleBytes: number;
  /** Bytes to expect for each byte asked, from experience: .05 to 1. */
  readonly yieldRatio: number;
  /** Reservations of bytes granted so far. */
  readonly grants: number;
}

/** One budget and all under it, at one moment. */
export interface BudgetSnapshot {
  readonly name: string;
  readonly path: string;
  /** The tightest limit from here up. */
  readonly limitBytes: number;
  readonly reservedBytes: number;
  /** What a consumer without a minimum could take here now. */
  readonly availableBytes: number;
  readonly peakBytes: number;
  /** How often bytes were granted here and below. */
  readonly grantCount: number;
  readonly consumers: readonly ConsumerSnapshot[];
  readonly children: readonly BudgetSnapshot[];
}

export function snapshotOf(branch: Branch): BudgetSnapshot {
  const consumers: ConsumerSnapshot[] = [];
  const children: BudgetSnapshot[] = [];
  for (const child of branch.children.values()) {
    if (child instanceof Leaf) consumers.push(consumerSnapshot(child));
    else children.push(snapshotOf(child));
  }
  return {
    name: branch.name,
    path: branch.path,
    limitBytes: branch.effectiveLimitBytes,
    reservedBytes: branch.reservedBytes,
    availableBytes: availableBytes(branch),
    peakBytes: branch.peakBytes,
    grantCount: branch.grantCount,
    consumers,
    children,
  };
}

/** What a consumer without a minimum could take under `branch` now, waiters left aside. */
export function availableBytes(branch: Branch): number {
  const hereBytes = Math.max(0, branch.refreshOpen() - branch.committedBytes);
  if (branch.parent === null) return hereBytes;
  const setAsideBytes = Math.max(0, branch.minBytes - branch.committedBytes);
  return Math.min(hereBytes, setAsideBytes + availableBytes(branch.parent));
}

/** The `count` consumers under `account` that hold most, largest first. */
export function largestHoldings(account: Account, count: number): readonly Holding[] {
  const isMany = account instanceof Branch || account instanceof HeapAccount;
  const leaves = isMany ? [...account.leaves()] : account instanceof Leaf ? [account] : [];
  return leaves
    .filter((leaf) => leaf.reservedBytes > 0)
    .sort((a, b) => b.reservedBytes - a.reservedBytes)
    .slice(0, count)
    .map((leaf) => ({ path: leaf.path, bytes: leaf.reservedBytes }));
}

function consumerSnapshot(leaf: Leaf): ConsumerSnapshot {
  const { reclaimableBytes, idleBytes } = wordOrNothing(leaf);
  return {
    name: leaf.name,
    path: leaf.path,
    where: leaf.consumer.where,
    priority: leaf.priority,
    bytes: leaf.reservedBytes,
    peakBytes: leaf.peakBytes,
    minBytes: leaf.minBytes,
    ...(leaf.limitBytes === NO_LIMIT_BYTES ? {} : { maxBytes: leaf.limitBytes }),
    reclaimableBytes,
    idleBytes,
    yieldRatio: leaf.trust.yieldRatio,
    grants: leaf.grantCount,
  };
}

function wordOrNothing(leaf: Leaf): ConsumerWord {
  try {
    return wordOf(leaf);
  } catch {
    return { reclaimableBytes: 0, idleBytes: 0, unusedBytes: 0 };
  }
}
