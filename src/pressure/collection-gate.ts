/**
 * The one gate through which garbage collections are forced.
 *
 * Responder, governor and leak probes all ask here, so no two of them collect for the same reason: after any forced collection the next
 * must wait 10 s, and all together may take at most 5 % of the wall time (a caller may ask for less). A full collection stops the
 * process for 8 ms at 10 MB of live heap and 330 ms at 400 MB; who asks must expect to gain something.
 *
 * V8 hands out `gc()` after the fact: the flag set at run time shows in a new context. From V8 12 on (Node 22) the form
 * `flavor: 'last-resort'` also gives the emptied pages back, which Node 24 otherwise keeps for about 8 s; it takes half as long again. On Node 20 the form
 * with options leaves most garbage where it is. So a canary, an object released just before, is looked for
 * afterwards: if it is still there, the plain form follows at once, and after two such failures it is the only one used.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { CollectedEvent } from './pressure-events.ts';
import { SlidingWindow } from './sliding-window.ts';

type Collect = (options?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

export interface CollectionGateOptions {
  readonly clock: Clock;
  readonly events: EventSink<CollectedEvent>;
  /** Shortest time between two collections; 10 s by default. */
  readonly minIntervalMs?: number;
  /** Largest share of wall time, 0 to 1; .05 by default. */
  readonly maxShare?: number;
  /** Stands in for V8 in tests. */
  readonly collect?: Collect;
}

export interface CollectionOutcome {
  readonly tookMs: number;
  /** Fall of the used heap; 0 when it did not fall. */
  readonly freedHeapBytes: number;
}

const SHARE_WINDOW_MS = 600_000;
const MISSED_CANARIES = 2;

export class CollectionGate {
  readonly #clock: Clock;
  readonly #emit: EventSink<CollectedEvent>;
  readonly #minIntervalMs: number;
  readonly #maxShare: number;
  readonly #spentMs = SlidingWindow.sum({ windowMs: SHARE_WINDOW_MS, buckets: 60 });
  #collect: Collect | undefined;
  #unavailable: string | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastTookMs = 0;
  #missedCanaries = 0;
  #canary: ReturnType<typeof newCanary>;
  #returnsPages = Number.parseInt(process.versions.v8, 10) >= 12;

  constructor(options: CollectionGateOptions) {
    this.#clock = options.clock;
    this.#emit = options.events;
    this.#minIntervalMs = options.minIntervalMs ?? 10_000;
    this.#maxShare = options.maxShare ?? 0.05;
    this.#collect = options.collect;
    this.#canary = newCanary();
  }

  /** Why nothing can be collected here; null when it can, or nobody has tried yet. */
  get unavailable(): string | null {
    return this.#unavailable;
  }

  /** Whether `tryCollect` would collect now. `maxShare` can only tighten the gate's own. */
  mayCollect(options: { maxShare?: number } = {}): boolean {
    const nowMs = this.#clock.monotonicMs();
    const allowedMs = Math.min(this.#maxShare, options.maxShare ?? 1) * SHARE_WINDOW_MS;
    return (
      this.#unavailable === null &&
      nowMs - this.#lastMs >= this.#minIntervalMs &&
      this.#spentMs.value(nowMs) + this.#lastTookMs <= allowedMs
    );
  }

  /** Collects, synchronously, and tells; null when the gate is shut. `reason` is for people: `pressure high`. */
  tryCollect(reason: string, options: { maxShare?: number } = {}): CollectionOutcome | null {
    if (!this.mayCollect(options) || !this.#prepare()) return null;
    const startMs = this.#clock.monotonicMs();
    const beforeBytes = getHeapStatistics().used_heap_size;
    this.#run(this.#collect!);
    this.#lastMs = this.#clock.monotonicMs();
    this.#lastTookMs = this.#lastMs - startMs;
    this.#spentMs.add(this.#lastMs, this.#lastTookMs);
    const outcome = {
      tookMs: this.#lastTookMs,
      freedHeapBytes: Math.max(0, beforeBytes - getHeapStatistics().used_heap_size),
    };
    this.#emit({ type: 'pressure.collected', atMs: this.#clock.nowMs(), reason, ...outcome });
    return outcome;
  }

  #prepare(): boolean {
    try {
      this.#collect ??= exposedCollect();
      return true;
    } catch (error) {
      this.#unavailable = messageOf(error);
      return false;
    }
  }

  #run(collect: Collect): void {
    if (!this.#returnsPages) {
      collect();
      return;
    }
    const { watch } = this.#canary;
    this.#canary.target = null;
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    if (watch.deref() !== undefined) {
      this.#returnsPages = ++this.#missedCanaries < MISSED_CANARIES;
      collect();
    }
    this.#canary = newCanary();
  }
}

/** V8's `gc`, which a context made while the flag stands has as a global. */
function exposedCollect(): Collect {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collect;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/** A weak reference keeps its object until the current job ends, so the canary for one collection is made after the one before. */
function newCanary(): { target: object | null; readonly watch: WeakRef<object> } {
  const target = {};
  return { target, watch: new WeakRef(target) };
}
