/**
 * What each kind of work costs, learned from what its tickets came to hold.
 *
 * Only a ticket that was adjusted teaches: one that was not knows its own estimate and nothing else, and learning from that would
 * confirm any guess. The 90th percentile, not the mean: work is admitted by it, and one estimate too low hurts more than one too high.
 */
import { DecayedQuantile } from './decayed-quantile.ts';

const QUANTILE = 0.9;
/** Fewer say nothing about a percentile. */
const LEAST_SAMPLES = 8;
/** Kinds are routes, not addresses; somebody who makes a kind of each address must not fill memory with them. */
const MOST_KINDS = 1_000;

export class LearnedCosts {
  readonly #defaultBytes: number;
  readonly #byKind = new Map<string, DecayedQuantile>();
  /** Of every kind for which there was no place. */
  readonly #others = new DecayedQuantile(QUANTILE);

  constructor(options: { defaultBytes: number }) {
    this.#defaultBytes = options.defaultBytes;
  }

  /** Kinds known by name. */
  get size(): number {
    return this.#byKind.size;
  }

  /** What work of `kind` may be expected to hold, in bytes. */
  of(kind: string): number {
    const costs = this.#byKind.get(kind) ?? this.#others;
    return costs.samples < LEAST_SAMPLES ? this.#defaultBytes : costs.valueBytes;
  }

  learn(kind: string, usedBytes: number): void {
    let costs = this.#byKind.get(kind);
    if (costs === undefined) {
      costs = this.#byKind.size < MOST_KINDS ? new DecayedQuantile(QUANTILE) : this.#others;
      if (costs !== this.#others) this.#byKind.set(kind, costs);
    }
    costs.add(usedBytes);
  }
}
