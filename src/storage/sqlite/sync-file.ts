/**
 * Forces a log to the disk: on Node's thread pool, or at once on the event loop while one writer alone waits and the disk is quick.
 *
 * Handing a sync to the pool and hearing back costs some 150 µs, as much as the sync of one small commit on a disk with a cache of its
 * own; so for a lone writer the pool doubles the wait and spares the loop nothing worth having. The disk is taken for quick
 * after three syncs in a row through the pool that were, hand-over included, and until one on the loop is not; after that the pool
 * has the next hundred. So a slow disk holds the loop once in a hundred writes, and a busy store never: its writers share syncs.
 */
import { fdatasync, fdatasyncSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Clock } from '../../base/clock.ts';

/** Forces what was written to the descriptor to the disk; `isAlone` when one writer waits for it and nobody stands behind. */
export type SyncFile = (descriptor: number, isAlone: boolean) => Promise<void> | void;

/** Both ways to sync; those of Node unless a test stands in. */
export interface SyncWays {
  readonly inPool: (descriptor: number) => Promise<void>;
  readonly onLoop: (descriptor: number) => void;
}

const NODE_WAYS: SyncWays = { inPool: promisify(fdatasync), onLoop: fdatasyncSync };

const QUICK_MS = 1;
const QUICK_IN_A_ROW = 3;
const PATIENCE = 100;

export function adaptiveSync(clock: Clock, ways: SyncWays = NODE_WAYS): SyncFile {
  /** Quick syncs still to be seen before the loop is used. */
  let toBeSeen = QUICK_IN_A_ROW;
  const inPool = async (descriptor: number) => {
    const startMs = clock.monotonicMs();
    await ways.inPool(descriptor);
    if (toBeSeen > QUICK_IN_A_ROW) toBeSeen--;
    else if (clock.monotonicMs() - startMs > QUICK_MS) toBeSeen = QUICK_IN_A_ROW;
    else toBeSeen = Math.max(0, toBeSeen - 1);
  };
  return (descriptor, isAlone) => {
    if (!isAlone || toBeSeen > 0) return inPool(descriptor);
    const startMs = clock.monotonicMs();
    ways.onLoop(descriptor);
    if (clock.monotonicMs() - startMs > QUICK_MS) toBeSeen = QUICK_IN_A_ROW + PATIENCE;
  };
}
