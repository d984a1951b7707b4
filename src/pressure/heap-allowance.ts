/**
 * What consumers on the heap may hold together: the usable heap less what is on it without them, less head-room.
 *
 * V8 ends the process when its heap is full, however much the container has left; so the heap is a limit of its own beside the
 * process's. What is on the heap besides consumers is known when a major collection has run: what lived through it, less what was reserved there.
 * Before the first, all that is used counts.
 */
import type { Reading } from './reading.ts';

export class HeapAllowance {
  readonly #fullShare: number;
  #majors = 0;
  #outsideBytes: number | undefined;

  /** @param fullShare Share of the usable heap that a full budget may bring it to, 0 to 1. */
  constructor(fullShare: number) {
    this.#fullShare = fullShare;
  }

  /** What may be reserved on the heap, at most; infinite where its limit is not known. */
  allowedBytes({ heap, collection }: Pick<Reading, 'heap' | 'collection'>, reservedBytes: number): number {
    const majors = collection.majors ?? 0;
    if (this.#outsideBytes === undefined || majors !== this.#majors || heap.liveBytes === undefined) {
      this.#outsideBytes = Math.max(0, (heap.liveBytes ?? heap.usedBytes) - reservedBytes);
    }
    this.#majors = majors;
    if (heap.usableLimitBytes <= 0) return Number.POSITIVE_INFINITY;
    return Math.max(0, Math.floor(this.#fullShare * heap.usableLimitBytes - this.#outsideBytes));
  }
}
