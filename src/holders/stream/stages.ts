/**
 * What a stream does with each record between the source and the consumer: one stage for each `map`, `filter` and `batch`.
 *
 * A stage takes one value and gives at most one, now or as a promise; so a record runs through all stages before the next is
 * taken, nothing piles up between them, and whoever throws does so at its own record.
 */

import { requireBytes } from '../../base/bytes.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { estimateBytes } from '../../budget/estimator.ts';
import { NOTHING } from './block.ts';
import type { RecordFlow } from './record-flow.ts';
import type { StreamPosition } from './stream-options.ts';

/** What runs beside a value through the stages. */
export interface Passage {
  /** Bytes it had in the source. */
  bytes: number;
  /** Up to where the source is done with when this value is delivered; null: up to the record taken last. */
  position: StreamPosition | null;
}

export interface Stage {
  push(value: unknown, passage: Passage): unknown;
  /** What it keeps, to be handed over as it is: at the end, or where there is no room to go on. */
  flush?(passage: Passage): unknown;
  /** Called when the consumer is done with what it got last. */
  release?(): void;
  /** It keeps records that were not delivered. */
  readonly holds?: boolean;
}

export type StageMaker = (flow: RecordFlow<unknown>) => Stage;

/** How large a batch may become; at least one of the two. */
export interface BatchOptions<T> {
  /** Records in a batch, 1 or more. */
  readonly maxCount?: number;
  /** Bytes in a batch; a larger record comes alone. */
  readonly maxBytes?: number;
  /** Bytes of one record; what it had in the source by default. */
  readonly sizeOf?: (record: T) => number;
}

export function mapStage<T>(change: (record: T, signal: AbortSignal) => unknown): StageMaker {
  requireFunction(change, 'map');
  return (flow) => ({ push: (value) => change(value as T, flow.signal) });
}

export function filterStage<T>(keep: (record: T, signal: AbortSignal) => boolean | PromiseLike<boolean>): StageMaker {
  requireFunction(keep, 'filter');
  return (flow) => ({
    push(value) {
      const kept = keep(value as T, flow.signal);
      if (isThenable(kept)) return kept.then((later) => (later ? value : NOTHING));
      return kept ? value : NOTHING;
    },
  });
}

export function batchStage<T>(options: BatchOptions<T>): StageMaker {
  const { maxCount = Number.MAX_SAFE_INTEGER, maxBytes = Number.MAX_SAFE_INTEGER, sizeOf } = options;
  if (options.maxCount === undefined && options.maxBytes === undefined) {
    throw new InvalidArgumentError('batch', 'needs maxCount, maxBytes or both.');
  }
  if (!Number.isSafeInteger(maxCount) || maxCount < 1) {
    throw new InvalidArgumentError('maxCount', `must be a whole number, 1 or more; got ${String(maxCount)}.`);
  }
  if (requireBytes(maxBytes, 'maxBytes') < 1) throw new InvalidArgumentError('maxBytes', 'must be 1 or more.');
  if (sizeOf !== undefined) requireFunction(sizeOf, 'sizeOf');
  return (flow) => new BatchStage<T>(flow, { maxCount, maxBytes, sizeOf });
}

/** One value in so many is measured; those between are taken to be as large. */
const MEASURE_EVERY = 32;

class BatchStage<T> implements Stage {
  readonly #flow: RecordFlow<unknown>;
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #sizeOf: ((record: T) => number) | undefined;
  #batch: T[] = [];
  #bytes = 0;
  /** In the books: of the batch, of the one handed over last, and of one value. */
  #heldBytes = 0;
  #handedBytes = 0;
  #valueBytes = 0;
  #measured = 0;
  #position: StreamPosition | null = null;

  constructor(
    flow: RecordFlow<unknown>,
    options: { maxCount: number; maxBytes: number; sizeOf: ((record: T) => number) | undefined },
  ) {
    this.#flow = flow;
    this.#maxCount = options.maxCount;
    this.#maxBytes = options.maxBytes;
    this.#sizeOf = options.sizeOf;
  }

  get holds(): boolean {
    return this.#batch.length > 0;
  }

  push(value: unknown, passage: Passage): unknown {
    this.release();
    const bytes = this.#sizeOf ? requireBytes(this.#sizeOf(value as T), 'sizeOf') : passage.bytes;
    const hasRoom = this.#hold(value);
    const isFull = this.#batch.length > 0 && (!hasRoom || this.#bytes + bytes > this.#maxBytes);
    if (!isFull) {
      this.#add(value as T, bytes, passage);
      return this.#batch.length >= this.#maxCount || this.#bytes >= this.#maxBytes ? this.#hand(passage) : NOTHING;
    }
    // The value begins the next batch: what is handed over ends before it.
    const before = passage.position === null ? this.#flow.previousPosition : this.#position;
    const heldBytes = hasRoom ? this.#valueBytes : 0;
    const valuePassage = { ...passage };
    this.#heldBytes -= heldBytes;
    passage.position = before;
    const full = this.#hand(passage);
    this.#heldBytes = heldBytes;
    this.#add(value as T, bytes, valuePassage);
    return full;
  }

  flush(passage: Passage): unknown {
    return this.#batch.length === 0 ? NOTHING : this.#hand(passage);
  }

  #add(value: T, bytes: number, passage: Passage): void {
    this.#batch.push(value);
    this.#bytes += bytes;
    this.#position = passage.position;
  }

  #hand(passage: Passage): T[] {
    const batch = this.#batch;
    passage.bytes = this.#bytes;
    // A batch is more than the record taken last: what comes after must not take it for that.
    passage.position ??= this.#flow.takenPosition;
    this.#handedBytes = this.#heldBytes;
    this.#batch = [];
    this.#bytes = 0;
    this.#heldBytes = 0;
    return batch;
  }

  /** The books for one value more; false when there is no room. */
  #hold(value: unknown): boolean {
    if (this.#measured++ % MEASURE_EVERY === 0) this.#valueBytes = estimateBytes(value);
    if (!this.#flow.tryBatch(this.#valueBytes)) return false;
    this.#heldBytes += this.#valueBytes;
    return true;
  }

  /** The batch handed over last is the consumer's own now. */
  release(): void {
    if (this.#handedBytes > 0) this.#flow.releaseBatch(this.#handedBytes);
    this.#handedBytes = 0;
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function requireFunction(given: unknown, argument: string): void {
  if (typeof given !== 'function') throw new InvalidArgumentError(argument, 'must be given a function.');
}
