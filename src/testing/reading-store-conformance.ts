/**
 * What every `ReadingStore` must do, as a suite any adapter can run.
 *
 * Random histories, appended and compacted in random order, are compared with a model that keeps every reading and averages at
 * the end: losing detail must lose nothing else.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../base/errors.ts';
import { LEVELS, levelRank } from '../base/levels.ts';
import type { HistoryFigures, HistoryPoint, ReadingStore } from '../storage/reading-store.ts';

/** A store under test, empty, and how to get rid of it. */
export interface ReadingStoreUnderTest {
  readonly store: ReadingStore;
  close(): Promise<void>;
}

const HALF_MINUTE_MS = 30_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 0, 1);

const EVERY_FIGURE: Required<HistoryFigures> = {
  systemTotalBytes: 4000,
  systemAvailableBytes: 1000,
  systemUsedPercent: 75.5,
  arrayBufferBytes: 12,
  vectorIndexBytes: 8,
  embeddingCacheBytes: 4,
  heapCommittedBytes: 120,
  usableHeapLimitBytes: 900,
  containerUsedBytes: 310,
  containerAnonBytes: 210,
  containerLimitBytes: 1000,
  stallSomePercent: 1.25,
  stallFullPercent: 0.5,
  collectionShare: 0.0125,
  majorCollectionsPerMinute: 3,
  driftBytes: 40,
  retainedBytes: 30,
};

/** A reading with defaults, for tests. */
export function readingAt(atMs: number, fields: Partial<HistoryPoint> = {}): HistoryPoint {
  return {
    atMs,
    rssBytes: 300,
    anonBytes: 200,
    heapUsedBytes: 100,
    liveHeapBytes: 80,
    externalBytes: 20,
    limitBytes: 1000,
    reservedBytes: 50,
    score: 20,
    level: 'low',
    consumers: [],
    figures: {},
    ...fields,
  };
}

export function describeReadingStore(name: string, open: () => Promise<ReadingStoreUnderTest>): void {
  describe(`${name} keeps readings`, () => {
    const opened: ReadingStoreUnderTest[] = [];
    const fresh = async () => {
      const under = await open();
      opened.push(under);
      return under.store;
    };
    afterEach(async () => {
      for (const under of opened.splice(0)) await under.close();
    });
    const day = { fromMs: START_MS, toMs: START_MS + DAY_MS, maxPoints: 10_000 };

    it('gives back a reading, every field, at the start of its half minute', async () => {
      const store = await fresh();
      const reading = readingAt(START_MS + 61_000, {
        level: 'high',
        score: 81.5,
        liveHeapBytes: null,
        consumers: [
          { name: 'cache', bytes: 7 },
          { name: 'sessions', bytes: 9 },
        ],
        figures: EVERY_FIGURE,
      });
      await store.append(reading);
      const { resolutionMs, points } = await store.range(day);
      expect(resolutionMs).toBe(HALF_MINUTE_MS);
      expect(points).toEqual([{ ...reading, atMs: START_MS + 60_000, peakAnonBytes: 200, peakScore: 81.5 }]);
    });

    it('makes one point of the readings of a half minute: means, peaks and the worst level', async () => {
      const store = await fresh();
      await store.append(readingAt(START_MS, { anonBytes: 100, score: 10, liveHeapBytes: null }));
      await store.append(readingAt(START_MS + 9000, { anonBytes: 400, score: 80, peakScore: 95, level: 'high' }));
      await store.append(
        readingAt(START_MS + 8000, { anonBytes: 100, score: 30, consumers: [{ name: 'cache', bytes: 30 }] }),
      );
      const { points } = await store.range(day);
      expect(points).toHaveLength(1);
      expect(points[0]).toMatchObject({ anonBytes: 200, peakAnonBytes: 400, score: 40, peakScore: 95, level: 'high' });
      expect(points[0]).toMatchObject({ liveHeapBytes: 80, consumers: [{ name: 'cache', bytes: 10 }] });
    });

    it('averages every figure over the readings that have it, before and after compaction', async () => {
      const store = await fresh();
      const halved = Object.fromEntries(Object.entries(EVERY_FIGURE).map(([name, value]) => [name, value / 2]));
      await store.append(readingAt(START_MS, { figures: EVERY_FIGURE }));
      await store.append(readingAt(START_MS + 60_000, { figures: halved }));
      await store.append(readingAt(START_MS + 120_000));
      await store.compact(START_MS + 3 * DAY_MS);
      const { points } = await store.range(day);
      const expected = Object.entries(EVERY_FIGURE).map(([name, value]) => {
        const mean = value * 0.75;
        return [name, name.endsWith('Bytes') ? Math.round(mean) : expect.closeTo(mean, 3)];
      });
      expect(points.map(({ figures }) => figures)).toEqual([Object.fromEntries(expected)]);
      await store.append(readingAt(START_MS + 30_000, { figures: { stallSomePercent: 4 } }));
      const [merged] = (await store.range(day)).points;
      expect(merged!.figures.stallSomePercent).toBeGreaterThan(EVERY_FIGURE.stallSomePercent);
      expect(merged!.figures.systemTotalBytes).toBe(EVERY_FIGURE.systemTotalBytes * 0.75);
    });

    it('leaves a gap where nothing was recorded', async () => {
      const store = await fresh();
      for (const minute of [0, 1, 7]) await store.append(readingAt(START_MS + minute * 60_000));
      const { points } = await store.range(day);
      expect(points.map(({ atMs }) => (atMs - START_MS) / 60_000)).toEqual([0, 1, 7]);
    });

    it('shows a week as one plot, before and after compaction', async () => {
      const store = await fresh();
      const count = (7 * DAY_MS) / HALF_MINUTE_MS;
      await Promise.all(
        Array.from({ length: count }, (_, index) =>
          store.append(readingAt(START_MS + index * HALF_MINUTE_MS, { anonBytes: index })),
        ),
      );
      const week = { fromMs: START_MS, toMs: START_MS + 7 * DAY_MS, maxPoints: 700 };
      const stepMs = 15 * 60_000;
      const expected = Array.from({ length: (7 * DAY_MS) / stepMs }, (_, index) => ({
        atMs: START_MS + index * stepMs,
        anonBytes: Math.round(index * 30 + 14.5),
        peakAnonBytes: index * 30 + 29,
      }));
      const shown = async () => {
        const { resolutionMs, points } = await store.range(week);
        expect(resolutionMs).toBe(stepMs);
        return points.map(({ atMs, anonBytes, peakAnonBytes }) => ({ atMs, anonBytes, peakAnonBytes }));
      };
      expect(await shown()).toEqual(expected);
      expect(await store.compact(week.toMs)).toEqual({ merged: (5 * DAY_MS) / HALF_MINUTE_MS, removed: 0 });
      expect(await shown()).toEqual(expected);
    });

    it('keeps half minutes for two days, five minutes for two weeks, hours for 400 days', async () => {
      const store = await fresh();
      for (let index = 0; index < 240; index++) await store.append(readingAt(START_MS + index * HALF_MINUTE_MS));
      const resolutionAfter = async (ageMs: number) => {
        await store.compact(START_MS + 2 * HOUR_MS + ageMs);
        const { resolutionMs, points } = await store.range(day);
        return [resolutionMs / 1000, points.length];
      };
      expect(await resolutionAfter(DAY_MS)).toEqual([30, 240]);
      expect(await resolutionAfter(2 * DAY_MS)).toEqual([300, 24]);
      expect(await resolutionAfter(13 * DAY_MS)).toEqual([300, 24]);
      expect(await resolutionAfter(14 * DAY_MS)).toEqual([3600, 2]);
      expect(await resolutionAfter(399 * DAY_MS)).toEqual([3600, 2]);
      expect(await store.compact(START_MS + 401 * DAY_MS)).toEqual({ merged: 0, removed: 2 });
      expect((await store.range(day)).points).toEqual([]);
    });

    it('takes readings of a clock that went back, also into a time that was compacted', async () => {
      const store = await fresh();
      await store.append(readingAt(START_MS, { anonBytes: 100 }));
      await store.compact(START_MS + 3 * DAY_MS);
      await store.append(readingAt(START_MS + 60_000, { anonBytes: 300 }));
      const merged = { atMs: START_MS, anonBytes: 200, peakAnonBytes: 300 };
      expect((await store.range(day)).points).toEqual([expect.objectContaining(merged)]);
      await store.compact(START_MS + 3 * DAY_MS);
      expect((await store.range(day)).points).toEqual([expect.objectContaining(merged)]);
    });

    it('loses nothing but detail, whatever is appended and compacted in whatever order', async () => {
      const steps = fc.array(
        fc.oneof(
          {
            weight: 5,
            arbitrary: fc.record({ minute: fc.nat(30 * 24 * 60), anonBytes: fc.nat(1e9), level: fc.nat(3) }),
          },
          { weight: 1, arbitrary: fc.record({ compactDay: fc.nat(50) }) },
        ),
        { maxLength: 60 },
      );
      await fc.assert(
        fc.asyncProperty(steps, async (history) => {
          const under = await open();
          try {
            const model = new Map<number, { sum: number; count: number; peak: number; level: number }>();
            for (const step of history) {
              if ('compactDay' in step) {
                await under.store.compact(START_MS + step.compactDay * DAY_MS);
                continue;
              }
              const atMs = START_MS + step.minute * 60_000;
              await under.store.append(readingAt(atMs, { anonBytes: step.anonBytes, level: LEVELS[step.level]! }));
              const hour = Math.floor(atMs / HOUR_MS) * HOUR_MS;
              const seen = model.get(hour) ?? { sum: 0, count: 0, peak: 0, level: 0 };
              model.set(hour, {
                sum: seen.sum + step.anonBytes,
                count: seen.count + 1,
                peak: Math.max(seen.peak, step.anonBytes),
                level: Math.max(seen.level, step.level),
              });
            }
            const { resolutionMs, points } = await under.store.range({
              fromMs: START_MS,
              toMs: START_MS + 31 * DAY_MS,
              maxPoints: 31 * 24,
            });
            expect(resolutionMs).toBe(HOUR_MS);
            expect(points.map(({ atMs }) => atMs)).toEqual([...model.keys()].sort((a, b) => a - b));
            for (const point of points) {
              const { sum, count, peak, level } = model.get(point.atMs)!;
              expect([point.peakAnonBytes, levelRank(point.level)]).toEqual([peak, level]);
              expect(Math.abs(point.anonBytes - sum / count)).toBeLessThanOrEqual(2);
            }
          } finally {
            await under.close();
          }
        }),
        { numRuns: 25 },
      );
    });

    it('compacts to the same end when done twice at once', async () => {
      const store = await fresh();
      for (let index = 0; index < 40; index++) await store.append(readingAt(START_MS + index * HALF_MINUTE_MS));
      const nowMs = START_MS + 5 * DAY_MS;
      const [first, second] = await Promise.all([store.compact(nowMs), store.compact(nowMs)]);
      expect(first.merged + second.merged).toBe(40);
      expect((await store.range(day)).points).toHaveLength(4);
      expect(await store.compact(nowMs)).toEqual({ merged: 0, removed: 0 });
    });

    it('stops compacting when told to', async () => {
      const store = await fresh();
      await store.append(readingAt(START_MS));
      const reason = new Error('enough');
      await expect(store.compact(START_MS + 5 * DAY_MS, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect((await store.range(day)).resolutionMs).toBe(HALF_MINUTE_MS);
    });

    it.each([
      ['rssBytes', { rssBytes: Number.NaN }],
      ['anonBytes', { anonBytes: -1 }],
      ['score', { score: Number.POSITIVE_INFINITY }],
      ['liveHeapBytes', { liveHeapBytes: -5 }],
      ['retainedBytes', { figures: { retainedBytes: -5 } }],
      ['driftBytes', { figures: { driftBytes: Number.NaN } }],
    ])('refuses a reading whose %s is no figure', async (argument, fields) => {
      const store = await fresh();
      await expect(store.append(readingAt(START_MS, fields))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        details: { argument },
      });
      expect((await store.range(day)).points).toEqual([]);
    });

    it.each([
      { fromMs: 5, toMs: 5, maxPoints: 100 },
      { fromMs: 0, toMs: Number.NaN, maxPoints: 100 },
      { fromMs: 0, toMs: 5, maxPoints: 1 },
    ])('refuses the range %o', async (range) => {
      const store = await fresh();
      await expect(store.range(range)).rejects.toBeInstanceOf(InvalidArgumentError);
    });
  });
}
