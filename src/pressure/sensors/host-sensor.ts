/**
 * What the machine has: total and available memory.
 *
 * `MemAvailable` (kernel 3.14 and later) is the kernel's own estimate of what can be had without swapping; before it, free memory
 * and page cache stand for it. Without /proc the figures of `node:os` do, which count page cache as used.
 */
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { KIB } from '../../base/bytes.ts';
import { KeptFile } from './kept-file.ts';
import { FieldReader } from './numbers.ts';
import type { ReadingPart, Sensor } from './sensor.ts';

export class HostSensor implements Sensor {
  readonly name = 'host';
  readonly #meminfo: KeptFile;
  readonly #fields = new FieldReader(['MemTotal', 'MemAvailable']);
  readonly #fieldsOfOldKernels = new FieldReader(['MemFree', 'Buffers', 'Cached']);

  constructor(options: { root?: string } = {}) {
    this.#meminfo = new KeptFile(join(options.root ?? '/', 'proc/meminfo'));
  }

  read(): ReadingPart {
    const length = this.#meminfo.read();
    const bytes = this.#meminfo.content;
    let [totalKib, availableKib] = this.#fields.read(bytes, length) as unknown as [number, number];
    if (!(totalKib > 0)) return hostPart({ totalBytes: totalmem(), availableBytes: freemem() });
    if (Number.isNaN(availableKib)) {
      availableKib = this.#fieldsOfOldKernels
        .read(bytes, length)
        .reduce((sum, value) => (Number.isNaN(value) ? sum : sum + value), 0);
    }
    return hostPart({ totalBytes: totalKib * KIB, availableBytes: availableKib * KIB });
  }

  [Symbol.dispose](): void {
    this.#meminfo[Symbol.dispose]();
  }
}

function hostPart({ totalBytes, availableBytes }: { totalBytes: number; availableBytes: number }): ReadingPart {
  return {
    systemTotalBytes: totalBytes,
    systemAvailableBytes: Math.min(availableBytes, totalBytes),
    systemUsedPercent: 100 * Math.max(0, 1 - availableBytes / totalBytes),
  };
}
