/**
 * One live object of a pool, and the list it stands in.
 *
 * An entry stands in at most one list at a time (idle, borrowed, or tended), so the links are in the entry itself: joining and leaving take
 * constant time and make no garbage. Its *generation* rises whenever its lease ends; a lease that remembers an older one is over.
 *
 *   born ──► idle ──► lent ──► idle …          tended: being checked or reset; listed while an answer is awaited
 *             │ ▲      │ │
 *             ▼ │      │ └─► tended ─► idle
 *           tended     ▼
 *             └────► dying: being destroyed; still counted and still in the books
 */
export type EntryState = 'idle' | 'lent' | 'tended' | 'dying';

export class Entry<T> {
  readonly object: T;
  /** What the books hold for it. */
  readonly bytes: number;
  /** When its lifetime is over, in monotonic milliseconds; `Infinity` for never. */
  readonly expiresAtMs: number;
  state: EntryState = 'tended';
  generation = 0;
  /** How often it was lent. */
  uses = 0;
  /** Since when it has been idle, or lent; monotonic. */
  sinceMs: number;
  /** When it was last known to be good: made, returned, or checked; monotonic. */
  goodAtMs: number;
  /** Somebody has said that it no longer works; it goes as soon as it comes back. */
  isBroken = false;
  /** The lease of who has it, held until the first sweep; see `lease-watch.ts`. */
  lease: object | null = null;
  /** Behind the signal its check and reset get; made for the first of them. */
  controller: AbortController | null = null;
  /** Rises with each check and reset, and when one is given up: an answer to an older one is nobody's. */
  turn = 0;
  /** What is awaited of it, and until when; monotonic. */
  tending: 'check' | 'reset' | null = null;
  deadlineMs = 0;
  isWatched = false;
  isReported = false;
  /** Where it was borrowed, if that was noted: an object with a `stack`. */
  site: { readonly stack?: string } | null = null;
  previous: Entry<T> | null = null;
  next: Entry<T> | null = null;

  constructor(options: { object: T; bytes: number; nowMs: number; expiresAtMs: number }) {
    this.object = options.object;
    this.bytes = options.bytes;
    this.expiresAtMs = options.expiresAtMs;
    this.sinceMs = options.nowMs;
    this.goodAtMs = options.nowMs;
  }
}

/** Entries by age in this list, oldest first. */
export class EntryList<T> {
  readonly #state: EntryState;
  first: Entry<T> | null = null;
  last: Entry<T> | null = null;
  size = 0;
  /** Bytes of all in it. */
  bytes = 0;

  /** Who joins is in `state`. */
  constructor(state: EntryState) {
    this.#state = state;
  }

  /** Joins as the youngest. */
  push(entry: Entry<T>): void {
    this.#insertAfter(this.last, entry);
  }

  /** Joins by its `sinceMs`: for one that was away and has not aged less for it. */
  pushByAge(entry: Entry<T>): void {
    let before = this.last;
    while (before !== null && before.sinceMs > entry.sinceMs) before = before.previous;
    this.#insertAfter(before, entry);
  }

  remove(entry: Entry<T>): void {
    const { previous, next } = entry;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    entry.previous = null;
    entry.next = null;
    this.size--;
    this.bytes -= entry.bytes;
  }

  /** Bytes of `count` of them, on average; of all where there are no more. */
  shareBytes(count: number): number {
    if (count <= 0) return 0;
    return count >= this.size ? this.bytes : Math.floor((this.bytes * count) / this.size);
  }

  /** Oldest first; the one handed out may be removed meanwhile. */
  *[Symbol.iterator](): Generator<Entry<T>> {
    for (let entry = this.first; entry !== null; ) {
      const { next }: Entry<T> = entry;
      yield entry;
      entry = next;
    }
  }

  #insertAfter(before: Entry<T> | null, entry: Entry<T>): void {
    entry.state = this.#state;
    const after = before === null ? this.first : before.next;
    entry.previous = before;
    entry.next = after;
    if (before === null) this.first = entry;
    else before.next = entry;
    if (after === null) this.last = entry;
    else after.previous = entry;
    this.size++;
    this.bytes += entry.bytes;
  }
}
