/**
 * What follows from many readings of one figure: peak, rolling average, growth and trend.
 *
 * Growth is the median of pairwise slopes (Theil–Sen) over floors: the lowest value of each half minute, for the last half hour.
 * Floors leave out the sawtooth of garbage collection, and the median shrugs off a third of the points. The trend is `increasing`
 * or `decreasing` only when the Mann–Kendall test sees it (p < .01) and it moved the figure by 2 % or 512 KB at least.
 * That is the trend a person asks for, not the verdict on a leak; a filling cache shows here too. Times are monotonic.
 */
import { MIB } from '../base/bytes.ts';
import type { Trend } from './reading.ts';
import { SlidingWindow } from './sliding-window.ts';

const HOUR_MS = 3_600_000;
const FLOOR_MS = 30_000;
const FLOORS = 60;
/** Five minutes: fewer floors show no trend. */
const FEWEST_FLOORS = 10;
const SIGNIFICANT_Z = 2.58;
const LEAST_SHARE = 0.02;
const LEAST_BYTES = MIB / 2;
const AVERAGE_WINDOW = { windowMs: 300_000, buckets: 30 };

export class Figures {
  readonly #sum = SlidingWindow.sum(AVERAGE_WINDOW);
  readonly #count = SlidingWindow.sum(AVERAGE_WINDOW);
  readonly #floors: { readonly atMs: number; readonly bytes: number }[] = [];
  #sliceEndMs = Number.NEGATIVE_INFINITY;
  #floorBytes = Number.POSITIVE_INFINITY;
  #peakBytes = 0;
  #growthBytesPerHour = 0;
  #trend: Trend = 'stable';

  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** Of the last half hour; 0 in the first five minutes. */
  get growthBytesPerHour(): number {
    return this.#growthBytesPerHour;
  }

  get trend(): Trend {
    return this.#trend;
  }

  /** Mean of the last five minutes; 0 before the first figure. */
  averageBytes(nowMs: number): number {
    return this.#sum.value(nowMs) / Math.max(1, this.#count.value(nowMs));
  }

  add(nowMs: number, bytes: number): void {
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    this.#sum.add(nowMs, bytes);
    this.#count.add(nowMs, 1);
    if (nowMs >= this.#sliceEndMs) this.#closeSlice(nowMs);
    this.#floorBytes = Math.min(this.#floorBytes, bytes);
  }

  #closeSlice(nowMs: number): void {
    if (Number.isFinite(this.#floorBytes)) {
      this.#floors.push({ atMs: this.#sliceEndMs, bytes: this.#floorBytes });
      if (this.#floors.length > FLOORS) this.#floors.shift();
      this.#judge();
    }
    this.#floorBytes = Number.POSITIVE_INFINITY;
    this.#sliceEndMs = nowMs + FLOOR_MS;
  }

  #judge(): void {
    const floors = this.#floors;
    if (floors.length < FEWEST_FLOORS) return;
    const slopes: number[] = [];
    let rises = 0;
    for (let later = 1; later < floors.length; later++) {
      for (let earlier = 0; earlier < later; earlier++) {
        const deltaBytes = floors[later]!.bytes - floors[earlier]!.bytes;
        slopes.push(deltaBytes / (floors[later]!.atMs - floors[earlier]!.atMs));
        rises += Math.sign(deltaBytes);
      }
    }
    slopes.sort((one, other) => one - other);
    const slopeBytesPerMs = slopes[slopes.length >> 1]!;
    this.#growthBytesPerHour = slopeBytesPerMs * HOUR_MS;
    const count = floors.length;
    const z = rises / Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18);
    const movedBytes = Math.abs(slopeBytesPerMs) * (floors.at(-1)!.atMs - floors[0]!.atMs);
    const isReal = Math.abs(z) > SIGNIFICANT_Z && movedBytes >= Math.max(LEAST_BYTES, LEAST_SHARE * floors[0]!.bytes);
    this.#trend = isReal ? (slopeBytesPerMs > 0 ? 'increasing' : 'decreasing') : 'stable';
  }
}
