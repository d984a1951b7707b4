/** For tests: sources in any pieces and with any fault, streams read to their end, and a budget that must balance. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect } from 'vitest';
import { MIB } from '../base/bytes.ts';
import { Budget } from '../budget/budget.ts';
import type { RecordStream } from '../holders/stream/record-stream.ts';
import { ManualClock } from './manual-clock.ts';

/** What each test has, made anew and checked after it: the books at zero, no descriptor open, no timer left. */
export class StreamBench {
  clock!: ManualClock;
  budget!: Budget;
  folder!: string;
  #descriptors = 0;

  constructor() {
    beforeEach(async () => {
      this.clock = new ManualClock();
      this.budget = new Budget({
        limitBytes: 64 * MIB,
        clock: this.clock,
        regrowthBytesPerSecond: Number.POSITIVE_INFINITY,
      });
      this.folder = await mkdtemp(join(tmpdir(), 'tenure-stream-'));
      this.#descriptors = openDescriptors();
    });
    afterEach(async () => {
      await rm(this.folder, { recursive: true, force: true });
      expect(this.budget.reservedBytes).toBe(0);
      expect(this.budget.close().leakedBytes).toBe(0);
      expect(this.clock.pendingTimers).toBe(0);
      await expect.poll(openDescriptors, { interval: 1 }).toBeLessThanOrEqual(this.#descriptors);
    });
  }

  path(name: string): string {
    return join(this.folder, name);
  }
}

/** On other systems than Linux nothing is counted. */
export function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

export async function* pieces(...parts: (string | Uint8Array)[]): AsyncGenerator<string | Uint8Array> {
  yield* parts;
}

export async function* cut(bytes: Uint8Array, places: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].sort((a, b) => a - b);
  for (let index = 1; index < ends.length; index++) yield bytes.subarray(ends[index - 1]!, ends[index]!);
}

/** Places to cut at, for `cut`. */
export const places = fc.array(fc.nat({ max: 5_000 }), { maxLength: 12 });

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const records: T[] = [];
  for await (const record of stream) records.push(record);
  return records;
}

/** The position after each record. */
export async function positions<T>(stream: RecordStream<T>) {
  const after = [stream.position];
  for await (const _ of stream) after.push(stream.position);
  return after;
}

/** Gives `parts`, then throws, hangs for ever, or ends; says whether it was told to stop. */
export class FaultySource implements AsyncIterableIterator<Uint8Array> {
  readonly #parts: Uint8Array[];
  readonly #fault: 'throw' | 'hang' | 'end';
  isStopped = false;

  constructor(parts: readonly string[], fault: 'throw' | 'hang' | 'end') {
    this.#parts = parts.map((part) => Buffer.from(part));
    this.#fault = fault;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const value = this.#parts.shift();
    if (value) return { done: false, value };
    if (this.#fault === 'throw') throw new Error('the disk is on fire');
    if (this.#fault === 'hang') await new Promise(() => {});
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.isStopped = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
