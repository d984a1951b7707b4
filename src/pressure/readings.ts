/** Readings made up for tests: a process of 512 MB that is well, and what a test changes about it. */
import { MIB } from '../base/bytes.ts';
import type { Reading } from './reading.ts';

export const LIMIT_BYTES = 512 * MIB;

export function readingOf(changes: Partial<Reading> = {}): Reading {
  return {
    atMs: Date.UTC(2026, 0, 1),
    limit: { bytes: LIMIT_BYTES, source: 'configured' },
    systemTotalBytes: 16_384 * MIB,
    systemAvailableBytes: 8_192 * MIB,
    systemUsedPercent: 50,
    rssBytes: 140 * MIB,
    anonBytes: 100 * MIB,
    heap: { usedBytes: 60 * MIB, liveBytes: 50 * MIB, limitBytes: 304 * MIB, usableLimitBytes: 256 * MIB },
    externalBytes: 2 * MIB,
    arrayBufferBytes: MIB,
    collection: { share: 0.01, majorPerMinute: 1, majors: 1 },
    consumers: [],
    vectorIndexBytes: 0,
    embeddingCacheBytes: 0,
    ...changes,
  };
}
