/**
 * What a stream holds, in the books.
 *
 *   reading ── buffers, the chunk being parsed and what its records may become, the unfinished record: set once for each chunk
 *   batches ── records collected and records handed over as a batch, until the next is asked for
 *
 * A chunk waits for room in the budget, oldest first: that is the back-pressure. A batch never waits: without room it is handed
 * over as it is. Asked to give, the stream drops what it has read ahead and reads smaller pieces until it has been left alone for a
 * while. Without a budget only the bound holds.
 */
import type { Budget } from '../../budget/budget.ts';
import { HolderBytes } from '../../budget/holder-bytes.ts';
import type { FormatKind } from './block.ts';
import type { ByteSource } from './byte-source.ts';
import { LEAST_READ_BYTES, type StreamSettings } from './stream-options.ts';

/** Chunks without being asked to give before it reads larger pieces again. */
const CALM_CHUNKS = 64;
/** What batches may be of the limit. */
const BATCH_SHARE = 1 / 8;

/** Streams of each budget that were given no name. */
const unnamed = new WeakMap<Budget, number>();

/** What is about to be parsed, and what is kept of an unfinished record. */
export interface ReadingParts {
  readonly pieceBytes: number;
  readonly heldBytes: number;
}

export class StreamHolding {
  readonly #settings: StreamSettings;
  readonly #expansion: number;
  readonly #books: HolderBytes | null;
  #source: ByteSource | null = null;
  #readingBytes = 0;
  #batchBytes = 0;
  #pieceBytes: number;
  #calmChunks = 0;

  /** @throws What `Budget.register` throws. */
  constructor(kind: FormatKind<never, unknown>, settings: StreamSettings) {
    this.#settings = settings;
    this.#expansion = kind.expansion;
    this.#pieceBytes = settings.readBytes;
    const { budget, priority } = settings;
    if (budget === null) {
      this.#books = null;
      return;
    }
    this.#books = new HolderBytes({
      ...{ budget, name: settings.name ?? nextName(budget), where: kind.where, priority },
      droppableBytes: () => (this.#pieceBytes > LEAST_READ_BYTES ? this.#pieceBytes : 0),
      drop: () => this.#readLess(),
    });
  }

  /** Bytes to parse at a time. */
  get pieceBytes(): number {
    return this.#pieceBytes;
  }

  watch(source: ByteSource): void {
    this.#source = source;
    source.setReading({ bytes: this.#pieceBytes, ahead: true });
  }

  /** Makes room for the next piece, if there is some now. */
  tryReserve(parts: ReadingParts): boolean {
    const moreBytes = this.#moreBytes(parts);
    if (this.#books === null || moreBytes === 0) return true;
    if (moreBytes > 0 && !this.#books.tryTake(moreBytes)) return false;
    if (moreBytes < 0) {
      this.#books.release(-moreBytes);
      this.#books.settle();
    }
    this.#readingBytes += moreBytes;
    return true;
  }

  /** Makes room for the next piece, waiting for it. */
  async reserve(parts: ReadingParts, signal: AbortSignal): Promise<void> {
    const moreBytes = this.#moreBytes(parts);
    await this.#books?.take(moreBytes, { timeoutMs: this.#settings.waitMs, signal });
    this.#readingBytes += moreBytes;
  }

  /** Room for `bytes` more in a batch, without waiting. */
  tryBatch(bytes: number): boolean {
    if (this.#batchBytes + bytes > this.#settings.limitBytes * BATCH_SHARE) return false;
    if (this.#books !== null && !this.#books.tryTake(bytes)) return false;
    this.#batchBytes += bytes;
    return true;
  }

  releaseBatch(bytes: number): void {
    this.#batchBytes -= bytes;
    this.#books?.release(bytes);
    this.#books?.settle();
  }

  close(): void {
    this.#readingBytes = 0;
    this.#batchBytes = 0;
    if (this.#books === null) return;
    this.#books.release(this.#books.usedBytes);
    this.#books.close();
  }

  #moreBytes({ pieceBytes, heldBytes }: ReadingParts): number {
    return (this.#source?.bufferBytes ?? 0) + this.#expansion * (pieceBytes + heldBytes) - this.#readingBytes;
  }

  async #readLess(): Promise<void> {
    if (this.#pieceBytes <= LEAST_READ_BYTES || this.#source === null) return;
    this.#calmChunks = 0;
    const freedBytes = Math.min(await this.#source.dropAhead(), this.#readingBytes);
    this.#pieceBytes = Math.max(LEAST_READ_BYTES, Math.floor(this.#pieceBytes / 2));
    this.#source.setReading({ bytes: this.#pieceBytes, ahead: false });
    this.#readingBytes -= freedBytes;
    this.#books?.release(freedBytes);
  }

  /** Called for each chunk. */
  readMore(): void {
    if (this.#pieceBytes === this.#settings.readBytes || ++this.#calmChunks < CALM_CHUNKS) return;
    this.#calmChunks = 0;
    this.#pieceBytes = Math.min(this.#settings.readBytes, this.#pieceBytes * 2);
    this.#source?.setReading({ bytes: this.#pieceBytes, ahead: true });
  }
}

function nextName(budget: Budget): string {
  const number = (unnamed.get(budget) ?? 0) + 1;
  unnamed.set(budget, number);
  return `stream ${number}`;
}
