/**
 * What a consumer says of itself, kept within what the books allow.
 *
 * A word that is no size counts as 0; nobody can offer more than it holds above its minimum, nor more idle than
 * reclaimable bytes.
 */
import type { Leaf } from './account.ts';

export interface ConsumerWord {
  /** What could be given now. */
  readonly reclaimableBytes: number;
  /** The part of it that is expired or idle. */
  readonly idleBytes: number;
  /** The part of it that is reserved and not used. */
  readonly unusedBytes: number;
}

/** Asks the consumer; throws what the consumer throws. */
export function wordOf(leaf: Leaf): ConsumerWord {
  const { consumer } = leaf;
  const reclaimableBytes = within(consumer.reclaimableBytes(), leaf.reservedBytes - leaf.minBytes);
  const idleBytes = within(consumer.idleBytes?.() ?? 0, reclaimableBytes);
  const unusedBytes = within(leaf.reservedBytes - (consumer.usedBytes?.() ?? leaf.reservedBytes), reclaimableBytes);
  return { reclaimableBytes, idleBytes, unusedBytes };
}

function within(toldBytes: number, mostBytes: number): number {
  return Number.isFinite(toldBytes) && toldBytes > 0 ? Math.max(0, Math.min(Math.floor(toldBytes), mostBytes)) : 0;
}
