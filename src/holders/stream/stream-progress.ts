/**
 * How far a stream has come: told at most ten times a second, and at its end.
 *
 * The rate is of the last seconds, not of the whole run: after a pause the time left must not stay wrong for hours. It is a plain
 * average at first, then one that forgets with a time constant of five seconds.
 */
import type { Clock } from '../../base/clock.ts';

/** How far a stream has come. */
export interface StreamProgress {
  /** Bytes read from the source, before decompression; of this run, when it was resumed. */
  readonly bytes: number;
  /** Of the source, from where this run began; null where nobody knows. */
  readonly totalBytes: number | null;
  /** Records read, those left out by a filter among them. */
  readonly records: number;
  /** Records left out because they were bad or too large. */
  readonly skippedRecords: number;
  readonly bytesPerSecond: number;
  /** Null when the total is unknown or nothing has been read yet. */
  readonly leftMs: number | null;
}

type Counted = Omit<StreamProgress, 'bytesPerSecond' | 'leftMs'>;

const TELL_EVERY_MS = 100;
const FORGETS_WITHIN_MS = 5_000;

export class ProgressTeller {
  readonly #clock: Clock;
  readonly #tell: (progress: StreamProgress) => void;
  readonly #startMs: number;
  #toldMs: number;
  #toldBytes = 0;
  #bytesPerMs = 0;

  constructor(clock: Clock, tell: (progress: StreamProgress) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#startMs = clock.monotonicMs();
    this.#toldMs = this.#startMs;
  }

  /** Tells if it is time, or `always`. */
  tell(count: () => Counted, always = false): void {
    const passedMs = this.#clock.monotonicMs() - this.#toldMs;
    if (passedMs < TELL_EVERY_MS && !always) return;
    const counted = count();
    if (passedMs > 0) {
      const latest = (counted.bytes - this.#toldBytes) / passedMs;
      this.#toldMs += passedMs;
      const weight = Math.max(1 - Math.exp(-passedMs / FORGETS_WITHIN_MS), passedMs / (this.#toldMs - this.#startMs));
      this.#bytesPerMs += (latest - this.#bytesPerMs) * weight;
      this.#toldBytes = counted.bytes;
    }
    const bytesPerMs = this.#bytesPerMs;
    const leftBytes = counted.totalBytes === null ? null : Math.max(0, counted.totalBytes - counted.bytes);
    const leftMs = leftBytes === 0 ? 0 : leftBytes === null || bytesPerMs === 0 ? null : leftBytes / bytesPerMs;
    this.#tell({ ...counted, bytesPerSecond: bytesPerMs * 1000, leftMs });
  }
}
