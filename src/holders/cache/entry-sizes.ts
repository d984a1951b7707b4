/**
 * What an entry is charged, and what it weighs to the policy.
 *
 * Charged is what the user's `sizeOf` says, or the estimator, with what our own structures take. To the policy it weighs as many bytes; but where
 * only entries are bounded each weighs one, and where both are, no less than its share of the bytes: if entries are what is short, a small
 * one takes as much as any.
 */
import { estimateBytes } from '../../budget/estimator.ts';
import { type CacheOptions, requireSize } from './cache-options.ts';
import { DEFAULT_POLICY, OVERHEAD_BYTES, UNKNOWN_OVERHEAD_BYTES } from './policies.ts';

export class EntrySizes<K, V> {
  readonly #sizeOf: CacheOptions<K, V>['sizeOf'];
  readonly #onThrow: (error: unknown) => void;
  readonly #overheadBytes: number;
  readonly #countsEntries: boolean;
  readonly #leastWeight: number;

  constructor(options: CacheOptions<K, V>, onThrow: (error: unknown) => void) {
    const { maxBytes, maxEntries = 1, policy = DEFAULT_POLICY } = options;
    this.#sizeOf = options.sizeOf;
    this.#onThrow = onThrow;
    this.#overheadBytes =
      options.overheadBytes ?? (typeof policy === 'function' ? UNKNOWN_OVERHEAD_BYTES : OVERHEAD_BYTES[policy]);
    this.#countsEntries = maxBytes === undefined && options.budget === undefined;
    const isBoundTwice = maxBytes !== undefined && options.maxEntries !== undefined;
    this.#leastWeight = isBoundTwice ? Math.max(1, Math.floor(maxBytes / Math.max(1, maxEntries))) : 1;
  }

  /** What an entry is charged; NaN when its size cannot be told. Runs the user's `sizeOf`. */
  charge(key: K, value: V, sizeBytes: number | undefined): number {
    if (sizeBytes !== undefined) {
      requireSize(sizeBytes);
      return Math.ceil(sizeBytes) + this.#overheadBytes;
    }
    const sizeOf = this.#sizeOf;
    if (sizeOf === undefined) return estimateBytes(value) + estimateBytes(key) + this.#overheadBytes;
    try {
      const bytes = sizeOf(value, key);
      return typeof bytes === 'number' && bytes >= 0 ? Math.ceil(bytes) + this.#overheadBytes : Number.NaN;
    } catch (error) {
      this.#onThrow(error);
      return Number.NaN;
    }
  }

  /** What an entry of `bytes` weighs to the policy. */
  weightOf(bytes: number): number {
    if (this.#countsEntries) return 1;
    return Math.max(bytes, this.#leastWeight);
  }
}
