/**
 * How long work stood still for want of memory: pressure stall information (kernel 4.20, Documentation/accounting/psi.rst).
 *
 * The cgroup's own file (v2) where there is one, for it leaves out the neighbours; else the host's. A system without either has no
 * such field in its readings.
 */
import { join } from 'node:path';
import type { StallState } from '../reading.ts';
import { KeptFile } from './kept-file.ts';
import { nextLine, nextWord, numberAt } from './numbers.ts';
import type { ReadingPart, Sensor } from './sensor.ts';

const AVG10 = 'avg10='.length;

export class StallSensor implements Sensor {
  readonly name = 'stall';
  readonly #host: KeptFile;
  readonly #groupFolder: () => string | null;
  #group: KeptFile | null = null;

  /** `groupFolder` tells the process's cgroup v2, which can change while it runs; null where there is none. */
  constructor(options: { root?: string; groupFolder?: () => string | null } = {}) {
    this.#host = new KeptFile(join(options.root ?? '/', 'proc/pressure/memory'));
    this.#groupFolder = options.groupFolder ?? (() => null);
  }

  read(): ReadingPart {
    return { stall: stallIn(this.#groupFile()) ?? stallIn(this.#host) };
  }

  [Symbol.dispose](): void {
    this.#host[Symbol.dispose]();
    this.#group?.[Symbol.dispose]();
  }

  #groupFile(): KeptFile | null {
    const folder = this.#groupFolder();
    const path = folder === null ? undefined : join(folder, 'memory.pressure');
    if (path !== this.#group?.path) {
      this.#group?.[Symbol.dispose]();
      this.#group = path === undefined ? null : new KeptFile(path);
    }
    return this.#group;
  }
}

/** `some avg10=0.12 avg60=…` and a second line `full avg10=…`. */
function stallIn(file: KeptFile | null): StallState | undefined {
  const length = file?.read() ?? 0;
  if (file === null || length === 0) return undefined;
  const bytes = file.content;
  const someAvg10 = avg10At(bytes, 0, length);
  const fullAvg10 = avg10At(bytes, nextLine(bytes, 0, length), length);
  return Number.isNaN(someAvg10) ? undefined : { someAvg10, fullAvg10: Number.isNaN(fullAvg10) ? 0 : fullAvg10 };
}

function avg10At(bytes: Uint8Array, line: number, length: number): number {
  return numberAt(bytes, nextWord(bytes, line, length) + AVG10, length);
}
