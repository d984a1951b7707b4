/**
 * What the process holds: resident, anonymous, external and ArrayBuffer bytes.
 *
 * Anonymous is resident less shared (`/proc/self/statm`, proc(5)): shared there means backed by files or shared memory. The
 * exact figure (`smaps_rollup`) takes 27 ms at 1 GB, so it is never polled. Elsewhere than on Linux, resident stands for anonymous.
 */
import { join } from 'node:path';
import { KeptFile } from './kept-file.ts';
import { nextWord, numberAt } from './numbers.ts';
import type { ReadingPart, Sensor } from './sensor.ts';

const SMALLEST_PAGE_BYTES = 4096;

export class ProcessSensor implements Sensor {
  readonly name = 'process';
  readonly #statm: KeptFile;
  #pageBytes: number | undefined;

  /** `pageBytes` is found out when it is not given. */
  constructor(options: { root?: string; pageBytes?: number } = {}) {
    this.#statm = new KeptFile(join(options.root ?? '/', 'proc/self/statm'));
    this.#pageBytes = options.pageBytes;
  }

  read(): ReadingPart {
    const usage = process.memoryUsage();
    const { external: externalBytes, arrayBuffers: arrayBufferBytes } = usage;
    const length = this.#statm.read();
    const bytes = this.#statm.content;
    const residentAt = nextWord(bytes, 0, length);
    const residentPages = numberAt(bytes, residentAt, length);
    const sharedPages = numberAt(bytes, nextWord(bytes, residentAt, length), length);
    if (!(residentPages > 0 && sharedPages >= 0)) {
      return { rssBytes: usage.rss, anonBytes: usage.rss, externalBytes, arrayBufferBytes };
    }
    this.#pageBytes ??= pageBytesOf({ rssBytes: usage.rss, residentPages });
    return {
      rssBytes: residentPages * this.#pageBytes,
      // The kernel sums the two from per-CPU counters that lag; their difference can pass zero.
      anonBytes: Math.max(0, residentPages - sharedPages) * this.#pageBytes,
      externalBytes,
      arrayBufferBytes,
    };
  }

  [Symbol.dispose](): void {
    this.#statm[Symbol.dispose]();
  }
}

/** Node does not tell the page size (4, 16 or 64 KB); two ways of counting the same memory do. */
export function pageBytesOf(measured: { rssBytes: number; residentPages: number }): number {
  const ratio = measured.rssBytes / measured.residentPages;
  return Math.max(SMALLEST_PAGE_BYTES, 2 ** Math.round(Math.log2(ratio)));
}
