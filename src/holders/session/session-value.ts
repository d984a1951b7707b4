/**
 * What sessions in memory are worth: hits per second that would go to the disk instead.
 *
 * Nobody knows when a user comes back, but the longer he has been away the less soon: a session unused for `age` is taken to be used once
 * in the next `age`, which is what renewal processes with heavy tails come near to (Lindy's rule) and all that recency tells. So a session
 * is worth 1/age hits per second, and those that leave are the oldest.
 */
const LEAST_AGE_SECONDS = 1;
/** Beyond these the rest is taken to be like the last: the question is asked dozens of times in one reclaim. */
const MOST_LOOKED_AT = 64;

interface Aged {
  readonly heapBytes: number;
  /** Monotonic. */
  readonly usedMs: number;
}

/** Hits per second lost with the first `bytes` of sessions that are given least recently used first. */
export function lossOf(sessions: Iterable<Aged>, bytes: number, nowMs: number): number {
  let lost = 0;
  let seenBytes = 0;
  let looked = 0;
  let last: { value: number; bytes: number } | null = null;
  for (const { heapBytes, usedMs } of sessions) {
    if (seenBytes >= bytes || looked++ === MOST_LOOKED_AT) break;
    last = { value: 1 / Math.max(LEAST_AGE_SECONDS, (nowMs - usedMs) / 1000), bytes: heapBytes };
    seenBytes += heapBytes;
    lost += last.value;
  }
  if (seenBytes >= bytes || last === null) return lost;
  return lost + (last.value * (bytes - seenBytes)) / Math.max(1, last.bytes);
}
