/** What a session pool says of itself: for metrics, the dashboard, and whoever wonders. Counts are since it was made. */

/** Figures of one pool. */
export interface SessionStatistics {
  /** Sessions in memory, and the most there may be. */
  readonly live: number;
  readonly max: number;
  /** What they take in memory, estimated, and how much of it is idle. */
  readonly bytes: number;
  readonly idleBytes: number;
  /** Kept in memory by open handles. */
  readonly pinned: number;
  /** Changed, and not written yet; 0 with `write-through`. */
  readonly unwritten: number;
  /** Changes and readings that wait for their turn. */
  readonly waiting: number;
  /** Answered from memory, and read from the disk. */
  readonly hits: number;
  readonly misses: number;
  /** Read from the disk, decoded and answered; misses without those that were not there. */
  readonly loaded: number;
  /** Answered without being kept, for want of room. */
  readonly through: number;
  /** Left memory for the disk. */
  readonly spilled: number;
  readonly created: number;
  readonly destroyed: number;
  /** Found expired in memory; removed from the disk for having expired. */
  readonly expired: number;
  readonly purged: number;
  /** Writes that reached the disk. */
  readonly written: number;
  /** Writes made from a version that was not the newest: made again, merged or refused. */
  readonly conflicts: number;
  readonly merged: number;
  /** With `write-back`: values that gave way to what another process had written. */
  readonly lost: number;
  /** Found damaged. */
  readonly damaged: number;
  /** Background writes that the store refused; each was kept and tried again. */
  readonly writeFailures: number;
}
