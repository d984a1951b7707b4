/** The V8 heap: used, live, and the limit that kills; and what collecting it costs. */
import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../../base/clock.ts';
import { Collections } from './collections.ts';
import type { ReadingPart, Sensor } from './sensor.ts';
import { youngGenerationBytes } from './young-generation.ts';

export class HeapSensor implements Sensor {
  readonly name = 'heap';
  readonly #collections: Collections;
  #limitBytes = 0;
  #usableLimitBytes = 0;

  constructor(options: { clock: Clock }) {
    this.#collections = new Collections(options);
  }

  read(): ReadingPart {
    const statistics = getHeapStatistics();
    if (statistics.heap_size_limit !== this.#limitBytes) {
      this.#limitBytes = statistics.heap_size_limit;
      this.#usableLimitBytes = this.#limitBytes - youngGenerationBytes(this.#limitBytes);
    }
    const collection = this.#collections.read();
    const { liveBytes } = this.#collections;
    return {
      heap: {
        usedBytes: statistics.used_heap_size,
        committedBytes: statistics.total_physical_size,
        ...(liveBytes === undefined ? {} : { liveBytes }),
        limitBytes: this.#limitBytes,
        usableLimitBytes: this.#usableLimitBytes,
      },
      collection,
    };
  }

  [Symbol.dispose](): void {
    this.#collections[Symbol.dispose]();
  }
}
