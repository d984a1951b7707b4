/**
 * What the budget may hand out: the limit less what is not the budget's to give, less head-room. Pure.
 *
 * The head-room reaches from the limit down to the exit of `moderate`, so a full budget does not by itself mean pressure. Retained bytes
 * are not taken off: they serve the next allocation (`books.ts`).
 */
export function budgetLimitBytes(of: {
  limitBytes: number;
  /** Baseline and drift. */
  outsideBytes: number;
  headroomBytes: number;
}): number {
  return Math.max(0, Math.floor(of.limitBytes - of.outsideBytes - of.headroomBytes));
}
