/**
 * The one gate through which garbage collections are forced.
 *
 * Responder, governor and leak probes all ask here, so no two of them collect for the same reason: after any forced collection the next
 * must wait 10 s, and all together may take at most 5 % of the wall time (a caller may ask for less). A full collection stops the
 * process for 8 ms at 10 MB of live heap and 330 ms at 400 MB; who asks must expect to gain something. Making a gate takes 2 ms.
 */
import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { EventSink } from '../base/events.ts';
import type { CollectedEvent } from './pressure-events.ts';
import { SlidingWindow } from './sliding-window.ts';
import { v8Collect } from './v8-collect.ts';

export interface CollectionGateOptions {
  readonly clock: Clock;
  readonly events: EventSink<CollectedEvent>;
  /** Shortest time between two collections; 10 s by default. */
  readonly minIntervalMs?: number;
  /** Largest share of wall time, 0 to 1; .05 by default. */
  readonly maxShare?: number;
  /** Whether garbage may be collected at all; asked each time. It may by default. */
  readonly enabled?: () => boolean;
  /** Stands in for V8 in tests. */
  readonly collect?: () => void;
}

export interface CollectionOutcome {
  readonly tookMs: number;
  /** Fall of the used heap; 0 when it did not fall. */
  readonly freedHeapBytes: number;
}

const SHARE_WINDOW_MS = 600_000;

export class CollectionGate {
  readonly #clock: Clock;
  readonly #emit: EventSink<CollectedEvent>;
  readonly #minIntervalMs: number;
  readonly #maxShare: number;
  readonly #enabled: () => boolean;
  readonly #spentMs = SlidingWindow.sum({ windowMs: SHARE_WINDOW_MS, buckets: 60 });
  readonly #collect: () => void;
  /** Why nothing can be collected here; null when it can. */
  readonly unavailable: string | null = null;
  #lastMs = Number.NEGATIVE_INFINITY;
  #lastTookMs = 0;

  constructor(options: CollectionGateOptions) {
    this.#clock = options.clock;
    this.#emit = options.events;
    this.#minIntervalMs = options.minIntervalMs ?? 10_000;
    this.#maxShare = options.maxShare ?? 0.05;
    this.#enabled = options.enabled ?? (() => true);
    this.#collect = () => {};
    try {
      this.#collect = options.collect ?? v8Collect();
    } catch (error) {
      this.unavailable = messageOf(error);
    }
  }

  /** Whether `tryCollect` would collect now. `maxShare` can only tighten the gate's own. */
  mayCollect(options: { maxShare?: number } = {}): boolean {
    const nowMs = this.#clock.monotonicMs();
    const allowedMs = Math.min(this.#maxShare, options.maxShare ?? 1) * SHARE_WINDOW_MS;
    return (
      this.unavailable === null &&
      this.#enabled() &&
      nowMs - this.#lastMs >= this.#minIntervalMs &&
      this.#spentMs.value(nowMs) + this.#lastTookMs <= allowedMs
    );
  }

  /** Collects, synchronously, and tells; null when the gate is shut. `reason` is for people: `pressure high`. */
  tryCollect(reason: string, options: { maxShare?: number } = {}): CollectionOutcome | null {
    if (!this.mayCollect(options)) return null;
    const startMs = this.#clock.monotonicMs();
    const beforeBytes = getHeapStatistics().used_heap_size;
    this.#collect();
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
}
