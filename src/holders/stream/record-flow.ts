/**
 * The running side of a stream: one source read through one format.
 *
 *   new ──fill──▶ open ──┬── take, take, … (no waiting: the records of one block)
 *                        └── fill (the next piece: the disk, the source, room in the budget)
 *   any ──stop──▶ stopped: source closed, bytes given back, listeners gone; whoever waits is told
 *
 * It does one thing at a time, and every wait is one that `stop` can end (`wait`). So an abort, a consumer that leaves and an
 * error take the same way out, whatever the source or a callback is doing.
 */
import { listenForAbort } from '../../base/abort.ts';
import { messageOf } from '../../base/errors.ts';
import { BadItem, Block, type Format, type FormatKind, NOTHING } from './block.ts';
import type { ByteSource } from './byte-source.ts';
import { openSource } from './open-source.ts';
import { StreamHolding } from './stream-holding.ts';
import type { StreamPosition, StreamSettings } from './stream-options.ts';
import { ProgressTeller } from './stream-progress.ts';

export class RecordFlow<T> {
  readonly #kind: FormatKind<unknown, T>;
  readonly #settings: StreamSettings;
  readonly #format: Format<unknown, T>;
  readonly #stopping = new AbortController();
  #holding: StreamHolding | null = null;
  #source: ByteSource | null = null;
  #progress: ProgressTeller | null = null;
  #block: Block<unknown>;
  /** Items of the block that have been taken, and that had been when a record was last delivered. */
  #taken = 0;
  #delivered = 0;
  #records: number;
  #deliveredRecords = 0;
  #skippedRecords = 0;
  /** Records to leave out, where the format cannot begin in the middle. */
  #leaveOut: number;
  /** What has been read and is not parsed yet. */
  #rest: Uint8Array | null = null;
  #isAtEnd = false;
  #closed: Promise<void> | null = null;
  #stopReason: unknown;
  /** Of a stream that has stopped, and keeps no block. */
  #lastPosition: StreamPosition | null = null;
  #endWait: ((reason: unknown) => void) | null = null;

  constructor(kind: FormatKind<unknown, T>, settings: StreamSettings) {
    const { from, maxRecordBytes, limitBytes, onBadRecord } = settings;
    const seeks = kind.resumesAt === 'byte';
    this.#kind = kind;
    this.#settings = settings;
    this.#records = seeks ? from.records : 0;
    this.#leaveOut = seeks ? 0 : from.records;
    const start = { startBytes: seeks ? from.bytes : 0, startLines: seeks ? from.lines : 0 };
    this.#block = new Block<unknown>(start);
    this.#format = kind.start({
      ...{ ...start, header: from.header },
      ...{ maxRecordBytes, limitBytes, leavesOut: onBadRecord !== 'stop' },
    });
  }

  get isStopped(): boolean {
    return this.#closed !== null;
  }

  get stopReason(): unknown {
    return this.#stopReason;
  }

  get skippedRecords(): number {
    return this.#skippedRecords;
  }

  /** Aborted when the stream stops. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** The next record of the block; `NOTHING` when it is used up. */
  take(): T | typeof NOTHING {
    const block = this.#block;
    while (this.#taken < block.items.length) {
      const index = this.#taken++;
      const item = block.items[index];
      let value: T | typeof NOTHING;
      try {
        if (item instanceof BadItem) throw item;
        value = this.#format.decode(item, block, index);
      } catch (thrown) {
        this.#bad(thrown instanceof BadItem ? thrown : new BadItem(messageOf(thrown), { cause: thrown }), index);
        continue;
      }
      if (value === NOTHING) continue;
      this.#records++;
      if (this.#leaveOut === 0) return value;
      this.#leaveOut--;
    }
    return NOTHING;
  }

  /** Bytes in the source of the record taken last. */
  get takenBytes(): number {
    return this.#taken === 0 ? 0 : this.#block.sizeOf(this.#taken - 1);
  }

  /** Reads and parses the next piece: `full` when there is no room for it and nobody `mayWait` for some. */
  async fill({ mayWait }: { mayWait: boolean }): Promise<'filled' | 'ended' | 'full'> {
    if (this.#isAtEnd) return 'ended';
    this.#source ??= await this.#begin();
    const holding = this.#holding!;
    const bytes = this.#rest ?? (await this.wait(this.#source.read()));
    this.#rest = bytes;
    const piece = bytes?.subarray(0, holding.pieceBytes) ?? null;
    const parts = { pieceBytes: piece?.length ?? 0, heldBytes: this.#format.heldBytes };
    if (!holding.tryReserve(parts)) {
      if (!mayWait) return 'full';
      await this.wait(holding.reserve(parts, this.signal));
    }
    this.#rest = bytes !== null && parts.pieceBytes < bytes.length ? bytes.subarray(parts.pieceBytes) : null;
    this.#isAtEnd = piece === null;
    this.#block = piece === null ? this.#format.end() : this.#format.push(piece);
    this.#taken = 0;
    this.#delivered = 0;
    holding.readMore();
    this.#progress?.tell(this.#counted);
    return 'filled';
  }

  /** Says that the record taken last is the consumer's now. */
  deliver(): void {
    this.#delivered = this.#taken;
    this.#deliveredRecords = this.#records;
  }

  get deliveredPosition(): StreamPosition {
    return this.#lastPosition ?? this.#positionAfter(this.#delivered, this.#deliveredRecords);
  }

  /** After all that was taken. */
  get takenPosition(): StreamPosition {
    return this.#positionAfter(this.#taken, this.#records);
  }

  /** Before the record taken last. */
  get previousPosition(): StreamPosition {
    return this.#positionAfter(this.#taken - 1, this.#records - 1);
  }

  /** Room for a batch; see `StreamHolding`. */
  tryBatch(bytes: number): boolean {
    return this.#holding?.tryBatch(bytes) ?? false;
  }

  releaseBatch(bytes: number): void {
    if (!this.isStopped) this.#holding?.releaseBatch(bytes);
  }

  /** `promise`, or the reason of `stop` if that comes first. One wait at a time. */
  wait<V>(promise: PromiseLike<V>): Promise<V> {
    return new Promise((resolve, reject) => {
      if (this.isStopped) reject(this.#stopReason);
      this.#endWait = reject;
      promise.then(resolve, reject);
    });
  }

  /** Tells the last progress. */
  finish(): void {
    this.#progress?.tell(this.#counted, true);
  }

  /** Ends everything. The first reason stands. Resolves when the source is closed; never rejects. */
  stop(reason: unknown): Promise<void> {
    if (this.#closed === null) {
      this.#stopReason = reason;
      this.#closed = this.#close();
      this.#settings.signal?.removeEventListener('abort', this.#onAbort);
      this.#endWait?.(reason);
      this.#stopping.abort(reason);
    }
    return this.#closed;
  }

  readonly #onAbort = () => void this.stop(this.#settings.signal?.reason);

  readonly #counted = () => ({
    bytes: this.#source?.receivedBytes ?? 0,
    totalBytes: this.#source?.totalBytes ?? null,
    records: this.#records,
    skippedRecords: this.#skippedRecords,
  });

  async #close(): Promise<void> {
    this.#lastPosition = this.deliveredPosition;
    this.#block = new Block(this.#block);
    this.#taken = 0;
    this.#rest = null;
    this.#holding?.close();
    try {
      await this.#source?.close();
    } catch {
      // Nothing was written to it, and whoever reads has what was read.
    }
  }

  async #begin(): Promise<ByteSource> {
    const { signal, source, compression, from, onProgress, clock } = this.#settings;
    signal?.throwIfAborted();
    if (signal) listenForAbort(signal, this.#onAbort);
    this.#holding = new StreamHolding(this.#kind as FormatKind<never, T>, this.#settings);
    if (onProgress) this.#progress = new ProgressTeller(clock, onProgress);
    const startBytes = this.#kind.resumesAt === 'byte' ? from.bytes : 0;
    const opening = openSource({ source, compression, startBytes, readBytes: this.#holding.pieceBytes });
    opening.then(
      (opened) => void (this.isStopped && opened.close().catch(() => {})),
      () => {},
    );
    const opened = await this.wait(opening);
    this.#holding.watch(opened);
    return opened;
  }

  #positionAfter(items: number, records: number): StreamPosition {
    const { header } = this.#format;
    const position = { bytes: this.#block.bytesAfter(items), records, lines: this.#linesAfter(items) };
    return header === undefined ? position : { ...position, header };
  }

  #linesAfter(items: number): number {
    return this.#kind.name === 'binary' || this.#kind.name === 'json' ? 0 : this.#block.linesAfter(items);
  }

  #bad(item: BadItem, index: number): void {
    this.#records++;
    if (this.#leaveOut > 0 && !item.isFatal) {
      this.#leaveOut--;
      return;
    }
    const { onBadRecord, maxRecordBytes } = this.#settings;
    const hasLines = this.#kind.name !== 'binary' && this.#kind.name !== 'json';
    const place = {
      format: this.#kind.name,
      recordNumber: this.#records,
      line: hasLines ? this.#block.linesAfter(index) + 1 : null,
      byteOffset: this.#block.bytesAfter(index),
    };
    const error = item.errorAt(place, maxRecordBytes);
    const decision = typeof onBadRecord === 'function' ? onBadRecord(error) : onBadRecord;
    if (item.isFatal || decision !== 'skip') throw error;
    this.#skippedRecords++;
  }
}
