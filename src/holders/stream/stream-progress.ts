/**
 * How far a stream has come: told at most ten times a second, and at its end.
 *
 * The rate is of the last seconds, not of the whole run: after a pause the time left must not stay wrong for hours. It is an average that
 * forgets with a time constant of five seconds.
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
  #toldMs: number;
  #toldBytes = 0;
  #bytesPerMs: number | null = null;

  constructor(clock: Clock, tell: (progress: StreamProgress) => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#toldMs = clock.monotonicMs();
  }

  /** Tells if it is time, or `always`. */
  tell(count: () => Counted, always = false): void {
    const passedMs = this.#clock.monotonicMs() - this.#toldMs;
    if (passedMs < TELL_EVERY_MS && !always) return;
    const counted = count();
    if (passedMs > 0) {
      const latest = (counted.bytes - this.#toldBytes) / passedMs;
      const weight = this.#bytesPerMs === null ? 1 : 1 - Math.exp(-passedMs / FORGETS_WITHIN_MS);
      this.#bytesPerMs = (this.#bytesPerMs ?? 0) * (1 - weight) + latest * weight;
      this.#toldMs += passedMs;
      this.#toldBytes = counted.bytes;
    }
    const bytesPerMs = this.#bytesPerMs ?? 0;
    const leftBytes = counted.totalBytes === null ? null : Math.max(0, counted.totalBytes - counted.bytes);
    const leftMs = leftBytes === 0 ? 0 : leftBytes === null || bytesPerMs === 0 ? null : leftBytes / bytesPerMs;
    this.#tell({ ...counted, bytesPerSecond: bytesPerMs * 1000, leftMs });
  }
}
