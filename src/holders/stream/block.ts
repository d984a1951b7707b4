/**
 * The port between the flow of bytes and the formats.
 *
 *   source ──chunk──▶ Format.push ──▶ Block of whole records ──▶ Format.decode, one by one, as they are asked for
 *                        │
 *                        └─ the unfinished rest of the last record, kept by the format
 *
 * Work and books are per chunk; what is done per record is one decode. Records are decoded when they are asked for, so that a block
 * holds text and not objects: few objects live long enough to be copied by the collector, and an error comes at its own place.
 * A record that cannot be read stands in its place as a `BadItem`.
 */
import { type RecordPlace, StreamBadRecordError, StreamRecordTooLargeError } from './stream-errors.ts';

/** What `decode` gives for something that is no record, such as an empty line. */
export const NOTHING: unique symbol = Symbol('nothing');

/** A record that could not be read. */
export class BadItem {
  /** Null: too large. */
  readonly #problem: string | null;
  readonly #cause: unknown;
  /** True when nothing can be read after it. */
  readonly isFatal: boolean;

  constructor(problem: string | null, options: { cause?: unknown; isFatal?: boolean } = {}) {
    this.#problem = problem;
    this.#cause = options.cause;
    this.isFatal = options.isFatal ?? false;
  }

  errorAt(place: RecordPlace, maxRecordBytes: number): StreamBadRecordError | StreamRecordTooLargeError {
    return this.#problem === null
      ? new StreamRecordTooLargeError(place, maxRecordBytes)
      : new StreamBadRecordError(place, this.#problem, this.#cause);
  }
}

/** Whole records that stand one after the other in the source. */
export class Block<I> {
  /** Offset of the first record's first byte. */
  readonly startBytes: number;
  /** Lines before the first record. */
  readonly startLines: number;
  readonly items: (I | BadItem)[] = [];
  /** Where each item ends, from `startBytes`. */
  readonly ends: number[] = [];
  /** Lines up to the end of each item, from `startLines`; null where an item is a line. */
  readonly lineEnds: number[] | null;
  /** The bytes that items of a binary block are cut from. */
  bytes: Uint8Array | null = null;

  constructor(options: { startBytes: number; startLines: number; countsLines?: boolean }) {
    this.startBytes = options.startBytes;
    this.startLines = options.startLines;
    this.lineEnds = options.countsLines ? [] : null;
  }

  add(item: I | BadItem, end: number, lineEnd = 0): void {
    this.items.push(item);
    this.ends.push(end);
    this.lineEnds?.push(lineEnd);
  }

  /** Offset after the first `count` items. */
  bytesAfter(count: number): number {
    return this.startBytes + (count === 0 ? 0 : this.ends[count - 1]!);
  }

  /** Lines up to the end of the first `count` items. */
  linesAfter(count: number): number {
    return this.startLines + (this.lineEnds === null || count === 0 ? count : this.lineEnds[count - 1]!);
  }

  /** Bytes of one item in the source. */
  sizeOf(index: number): number {
    return this.ends[index]! - (index === 0 ? 0 : this.ends[index - 1]!);
  }
}

/** Where a format begins to read. */
export interface FormatStart {
  readonly startBytes: number;
  readonly startLines: number;
  readonly header: readonly string[] | undefined;
  readonly maxRecordBytes: number;
  readonly limitBytes: number;
  /** Records may be left out: one that is too large is told of at its end, else at once. */
  readonly leavesOut: boolean;
}

/** Cuts chunks into records and decodes them. */
export interface Format<I, T> {
  /** Bytes of the unfinished record that it keeps. */
  readonly heldBytes: number;
  /** Names of columns, once they are known. */
  readonly header?: readonly string[] | undefined;
  /** Takes in the next chunk, which is valid until the block has been used up. */
  push(chunk: Uint8Array): Block<I>;
  /** Takes in the end of the source. */
  end(): Block<I>;
  /** One record; throws what makes it a bad one. */
  decode(item: I, block: Block<I>, index: number): T | typeof NOTHING;
}

/** What a reader knows of its format. */
export interface FormatKind<I, T> {
  readonly name: 'lines' | 'ndjson' | 'json' | 'csv' | 'binary';
  readonly where: 'heap' | 'native';
  /** Bytes that may be held for each byte that is read, while its record is being read. */
  readonly expansion: number;
  /** Resumed at a byte, or by leaving out as many records. */
  readonly resumesAt: 'byte' | 'record';
  start(start: FormatStart): Format<I, T>;
}
