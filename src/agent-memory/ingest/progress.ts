/** How far an ingest has come: counted as it reads, told at most ten times a second and after every document. */
import type { Clock } from '../../base/clock.ts';

/** How far an ingest has come; told as it goes on. */
export interface IngestProgress {
  /** Documents that are done, whatever became of them. */
  readonly documents: number;
  /** Passages remembered. */
  readonly passages: number;
  readonly bytes: number;
  /** Null when not every document told its size. */
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number;
  /** Null when the total is unknown or nothing has been read yet. */
  readonly leftMs: number | null;
}

const TELL_EVERY_MS = 100;

export class ProgressCounter {
  readonly #clock: Clock;
  readonly #tell: ((progress: IngestProgress) => void) | undefined;
  readonly #totalBytes: number | null;
  readonly #startedMs: number;
  #toldMs: number;
  documents = 0;
  passages = 0;
  bytes = 0;

  constructor(options: {
    clock: Clock;
    totalBytes: number | null;
    onProgress?: ((progress: IngestProgress) => void) | undefined;
  }) {
    this.#clock = options.clock;
    this.#tell = options.onProgress;
    this.#totalBytes = options.totalBytes;
    this.#startedMs = options.clock.monotonicMs();
    this.#toldMs = this.#startedMs;
  }

  get tookMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }

  addBytes(count: number): void {
    this.bytes += count;
    if (this.#clock.monotonicMs() - this.#toldMs >= TELL_EVERY_MS) this.tell();
  }

  tell(): void {
    this.#toldMs = this.#clock.monotonicMs();
    const seconds = this.tookMs / 1000;
    const bytesPerSecond = seconds > 0 ? this.bytes / seconds : 0;
    const leftBytes = this.#totalBytes === null ? null : Math.max(0, this.#totalBytes - this.bytes);
    this.#tell?.({
      documents: this.documents,
      passages: this.passages,
      bytes: this.bytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      leftMs: leftBytes === null || bytesPerSecond === 0 ? null : leftBytes / bytesPerSecond,
    });
  }
}
