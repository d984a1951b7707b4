/**
 * A stream of records in bounded memory: what the readers give, and what `map`, `filter` and `batch` make of it.
 *
 * Nothing is opened, read or reserved before the first record is asked for, and nothing runs ahead of the consumer but the next
 * piece of a file. The end, an error, an abort, `break`, a cancelled web stream and `close` all close the source and give the bytes back.
 */
import { ClosedError } from '../../base/errors.ts';
import type { FormatKind } from './block.ts';
import { RecordFlow } from './record-flow.ts';
import { LEFT, RecordIterator } from './record-iterator.ts';
import { type BatchOptions, batchStage, filterStage, mapStage, type StageMaker } from './stages.ts';
import { StreamUsedError } from './stream-errors.ts';
import type { StreamPosition, StreamSettings } from './stream-options.ts';

/** What a stream and those made of it have in common. */
interface Run {
  readonly flow: RecordFlow<unknown>;
  readonly from: StreamPosition;
  iterator: RecordIterator<unknown> | null;
}

/**
 * Records, one after the other: to be read once, by `for await` or as a web stream.
 *
 * @example
 * ```ts
 * for await (const rows of readNdjson<Order>('orders.ndjson.gz', { budget }).filter((row) => row.total > 0).batch({ maxCount: 500 })) {
 *   await store(rows);
 * }
 * ```
 */
export class RecordStream<T> implements AsyncIterable<T>, AsyncDisposable {
  readonly #run: Run;
  readonly #stages: readonly StageMaker[];
  #isUsed = false;

  private constructor(run: Run, stages: readonly StageMaker[]) {
    this.#run = run;
    this.#stages = stages;
  }

  /** @internal */
  static open<T>(kind: FormatKind<never, T>, settings: StreamSettings): RecordStream<T> {
    const flow = new RecordFlow<unknown>(kind as FormatKind<unknown, T>, settings);
    return new RecordStream<T>({ flow, from: settings.from, iterator: null }, []);
  }

  /**
   * Each record changed by `change`, at once or later; one at a time, in order. The signal is aborted when the stream stops. What it throws
   * ends the stream and is thrown to the consumer.
   *
   * @throws StreamUsedError when this stream has been used already.
   */
  map<U>(change: (record: T, signal: AbortSignal) => U | PromiseLike<U>): RecordStream<U> {
    return this.#with(mapStage(change));
  }

  /**
   * Only the records for which `keep` says true, at once or later.
   *
   * @throws StreamUsedError when this stream has been used already.
   */
  filter(keep: (record: T, signal: AbortSignal) => boolean | PromiseLike<boolean>): RecordStream<T> {
    return this.#with(filterStage(keep));
  }

  /**
   * Records by the array: of `maxCount` records or `maxBytes`, whichever comes first; the last may be smaller. A batch is handed over earlier
   * where the budget, or an eighth of the stream's limit, has no room for more. It counts in the budget until the next is asked for.
   *
   * @throws InvalidArgumentError without a bound, or with one out of its range; StreamUsedError.
   */
  batch(options: BatchOptions<T>): RecordStream<T[]> {
    return this.#with(batchStage(options));
  }

  /**
   * Where to go on after the record (or batch) delivered last: pass it as `from` to resume, also in another process. A record counts as
   * delivered once it has been handed over; store the position when you are done with it.
   */
  get position(): StreamPosition {
    return this.#run.iterator?.position ?? this.#run.from;
  }

  /** Records left out because they were bad or too large. */
  get skippedRecords(): number {
    return this.#run.flow.skippedRecords;
  }

  /**
   * The records, as `for await` takes them. An iterator may be asked for the next record before the last was given; answers come in order.
   *
   * @throws StreamUsedError when this stream has been used already.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    this.#use();
    const iterator = new RecordIterator<T>(this.#run.flow, this.#stages, this.#run.from);
    this.#run.iterator = iterator as RecordIterator<unknown>;
    return iterator;
  }

  /**
   * The records as a web stream that reads only what is asked of it. Cancelling it, as a server does when its client goes away, closes the source.
   *
   * @throws StreamUsedError when this stream has been used already.
   */
  toReadableStream(): ReadableStream<T> {
    const iterator = this[Symbol.asyncIterator]();
    return new ReadableStream<T>(
      {
        async pull(controller) {
          const { done, value } = await iterator.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        async cancel() {
          await iterator.return?.();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Closes the source and gives the bytes back. Whoever waits for a record gets a `ClosedError`. Closing twice is harmless. */
  close(): Promise<void> {
    return this.#run.flow.stop(new ClosedError('The stream'));
  }

  /** As `close`; whoever waits is told that the stream is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run.flow.stop(LEFT);
  }

  #with<U>(stage: StageMaker): RecordStream<U> {
    this.#use();
    return new RecordStream<U>(this.#run, [...this.#stages, stage]);
  }

  #use(): void {
    if (this.#isUsed) throw new StreamUsedError();
    this.#isUsed = true;
  }
}
