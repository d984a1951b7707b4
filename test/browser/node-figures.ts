/**
 * The figures of an imagined node, the same for the same time.
 *
 * A working day of an agent server in 512 MB: memory breathes with the load, caches hold most of it, and one hour in
 * the past was bad. Waves of periods that share no factor look alive and need no chance.
 */
import { toldEvent } from '../../src/server/told-event.ts';
import type { Answer, HistoryPoint, Level, Moment, NodeEvent, NodeStatus } from '../../src/server/wire.ts';

const MB = 2 ** 20;
const HOUR_MS = 3_600_000;
const LIMIT_BYTES = 512 * MB;
const HEAP_LIMIT_BYTES = 288 * MB;

/** Says which level a score belongs to; the real one also remembers. */
function levelOf(score: number): Level {
  return score >= 90 ? 'critical' : score >= 80 ? 'high' : score >= 70 ? 'moderate' : 'low';
}

function wave(atMs: number, periodMs: number): number {
  return Math.sin((2 * Math.PI * atMs) / periodMs);
}

function anonBytesAt(atMs: number): number {
  const slow = 34 * wave(atMs, 5.3 * HOUR_MS) + 12 * wave(atMs, 1.7 * HOUR_MS);
  const quick = 9 * wave(atMs, 97_000) + 4 * wave(atMs, 31_000) + 1.4 * wave(atMs, 4700) + 0.7 * wave(atMs, 1300);
  return Math.round((236 + slow + quick) * MB);
}

/** As after a major collection, so in steps of 20 s. */
function liveHeapBytesAt(atMs: number): number {
  const lastMs = Math.floor(atMs / 20_000) * 20_000;
  return Math.round((96 + 10 * wave(lastMs, 7.1 * HOUR_MS) + 5 * wave(lastMs, 131_000)) * MB);
}

/** A reading of the stream. `score` overrules what the figures would give, memory follows. */
export function momentAt(atMs: number, overrule: { score?: number } = {}): Moment {
  const anonBytes = overrule.score === undefined ? anonBytesAt(atMs) : Math.round((overrule.score / 100) * LIMIT_BYTES);
  const liveBytes = liveHeapBytesAt(atMs);
  const score = Math.round((1000 * anonBytes) / LIMIT_BYTES) / 10;
  const reason = `container anon ${Math.round(anonBytes / MB)} MB of 512 MB`;
  const consumers = consumersAt(atMs);
  const reservedBytes = consumers.reduce((sum, { bytes }) => sum + bytes, 0);
  const budget = { name: 'node', path: 'node', limitBytes: 320 * MB, children: [] };
  return {
    reading: {
      atMs,
      limit: { bytes: LIMIT_BYTES, source: 'cgroup', path: '/sys/fs/cgroup' },
      systemTotalBytes: 8192 * MB,
      systemAvailableBytes: 5120 * MB,
      systemUsedPercent: 37.5,
      rssBytes: anonBytes + 52 * MB,
      anonBytes,
      heap: { usedBytes: liveBytes + 18 * MB, liveBytes, limitBytes: 336 * MB, usableLimitBytes: HEAP_LIMIT_BYTES },
      externalBytes: 22 * MB,
      arrayBufferBytes: 19 * MB,
      vectorIndexBytes: 0,
      embeddingCacheBytes: 0,
      collection: { share: 0.012, majorPerMinute: 3 },
      consumers: consumers.map(({ name, bytes }) => ({ name, bytes })),
    },
    pressure: {
      score,
      level: levelOf(score),
      reason,
      targetBytes: 0,
      processTargetBytes: 0,
      heapTargetBytes: 0,
      terms: [
        { name: 'resident', score, reason, excessBytes: 0 },
        { name: 'heap', score: (100 * liveBytes) / HEAP_LIMIT_BYTES, reason: 'live heap', excessBytes: 0 },
        { name: 'stall', score: 0, reason: 'stalled on memory 0.0 % of the time (all tasks 0.0 %)', excessBytes: 0 },
      ],
    },
    budget: {
      ...budget,
      reservedBytes,
      availableBytes: budget.limitBytes - reservedBytes,
      peakBytes: 231 * MB,
      grantCount: 48_211,
      consumers,
    },
  };
}

function consumersAt(atMs: number): Moment['budget']['consumers'] {
  const breath = wave(atMs, 61_000);
  const holder = (
    name: string,
    where: 'heap' | 'slab' | 'native' | 'disk-cache',
    sizes: { held: number; least: number; most: number; reclaimable: number },
  ) => ({
    ...{ name, path: `node/${name}`, where, priority: 5, idleBytes: 0, yieldRatio: 1, grants: 100 },
    bytes: Math.round(sizes.held * MB),
    peakBytes: sizes.most * MB,
    minBytes: sizes.least * MB,
    reclaimableBytes: Math.round(sizes.reclaimable * MB),
  });
  return [
    holder('store page cache', 'disk-cache', { held: 64, least: 8, most: 64, reclaimable: 56 }),
    holder('recall cache', 'heap', { held: 41 + 2 * breath, least: 16, most: 58, reclaimable: 22 + 2 * breath }),
    holder('ingest buffers', 'native', { held: 6 + breath, least: 0, most: 24, reclaimable: 0 }),
  ];
}

export function statusAt(atMs: number, moment: Moment = momentAt(atMs)): NodeStatus {
  return {
    ...moment,
    trend: 'increasing',
    growthMbPerHour: 3.4,
    peakBytes: 431 * MB,
    averageBytes: 238 * MB,
    efficiencyScore: 87,
    opportunities: ['garbage on the heap: 18 MB', 'idle in recall cache: 9 MB'],
    alerts: [],
    status: 'OK',
    shedding: false,
    observeOnly: false,
    driftBytes: 5.2 * MB,
    retainedBytes: 12 * MB,
    ...HOLDERS,
    store: { path: '/var/lib/tenure/tenure.db', sizeBytes: 48.6 * MB, memories: 12_480, scopes: 37 },
    node: { version: '0.1.0', nodeVersion: 'v24.4.0', pid: 4127, startedAtMs: atMs - 52 * HOUR_MS },
  };
}

const HOLDERS: Pick<NodeStatus, 'caches' | 'pools' | 'sessions' | 'quotas' | 'admission'> = {
  caches: [
    {
      ...{
        name: 'answers',
        policy: 'hit-density',
        entries: 4_812,
        bytes: 46.2 * MB,
        expiredBytes: 0,
        peakBytes: 50 * MB,
      },
      ...{
        reservedBytes: 46.9 * MB,
        maxBytes: 50 * MB,
        maxEntries: null,
        hits: 91_220,
        misses: 12_004,
        hitRatio: 0.8837,
      },
      ...{ sets: 12_004, refusals: {}, evictions: { capacity: 6_902, pressure: 240, quota: 0, expired: 50 } },
      ...{ computations: 12_004, computationErrors: 3, lateResults: 0, computing: 1, callbackErrors: 0 },
    },
  ],
  pools: [
    {
      ...{ name: 'llm', min: 0, max: 10, size: 7, borrowed: 6, idle: 1, creating: 0, waiting: 0, bytes: 0, created: 9 },
      ...{
        borrows: 18_204,
        destroyed: {},
        timeouts: 0,
        refusals: 0,
        createErrors: 0,
        checkErrors: 0,
        destroyErrors: 0,
      },
      ...{ heldTooLong: 1, abandoned: 0, returnedTwice: 0, waitMs: { p50: 0, p99: 38 } },
    },
  ],
  sessions: [
    {
      ...{
        name: 'sessions',
        live: 412,
        max: 500,
        bytes: 31.5 * MB,
        idleBytes: 2.1 * MB,
        pinned: 3,
        unwritten: 0,
        waiting: 0,
      },
      ...{ hits: 40_112, misses: 1_870, loaded: 1_655, through: 0, spilled: 1_243, created: 2_011, destroyed: 118 },
      ...{ expired: 0, purged: 0, written: 38_870, conflicts: 2, merged: 0, lost: 0, damaged: 0, writeFailures: 0 },
    },
  ],
  quotas: [],
  admission: {
    ...{
      admitted: 103_224,
      wouldHaveRefused: 0,
      openTickets: 5,
      openBytes: 3.4 * MB,
      waiting: 0,
      lost: 0,
      overruns: 12,
    },
    ...{ refused: { pressure: 0, budget: 41, quota: 0, circuit_open: 0, too_large: 2 }, circuit: 'closed' },
  },
};

/** Like the server: as many points as asked for, none finer than the stored 30 s; nothing before the node was started. */
export function historyBetween({ fromMs, toMs, points }: { fromMs: number; toMs: number; points: number }): {
  resolutionMs: number;
  points: HistoryPoint[];
} {
  const resolutionMs = Math.max(30_000, (toMs - fromMs) / points);
  const count = Math.floor((toMs - fromMs) / resolutionMs);
  return {
    resolutionMs,
    points: Array.from({ length: count }, (_, index) => pointAt(toMs - (count - 1 - index) * resolutionMs, toMs)),
  };
}

function pointAt(atMs: number, nowMs: number): HistoryPoint {
  const badMs = nowMs - 9.5 * HOUR_MS - atMs;
  const strain = 150 * MB * Math.exp(-((badMs / (0.6 * HOUR_MS)) ** 2));
  const anonBytes = Math.round(anonBytesAt(atMs) + strain);
  const score = (100 * anonBytes) / LIMIT_BYTES;
  return {
    atMs,
    rssBytes: anonBytes + 52 * MB,
    anonBytes,
    heapUsedBytes: liveHeapBytesAt(atMs) + 18 * MB,
    liveHeapBytes: liveHeapBytesAt(atMs),
    externalBytes: 22 * MB,
    limitBytes: LIMIT_BYTES,
    score,
    level: levelOf(score),
    reservedBytes: 111 * MB,
    peakAnonBytes: anonBytes + 16 * MB,
    peakScore: (100 * (anonBytes + 16 * MB)) / LIMIT_BYTES,
  };
}

/** What happened to it, newest first. */
export function eventsBefore(atMs: number): NodeEvent[] {
  const ago = (minutes: number, type: string, fields: Record<string, unknown>): NodeEvent =>
    toldEvent({ type, atMs: atMs - minutes * 60_000, ...fields });
  const alert = {
    kind: 'memory_usage_percent',
    severity: 'warning',
    message: 'memory in use 84 %, threshold 80 %, since 2026-01-01T09:30:00.000Z',
    holders: ['store page cache 64 MB', 'recall cache 58 MB'],
    done: null,
  };
  return [
    ago(2, 'agent_memory.remembered', { count: 14, tenant: 'acme' }),
    ago(11, 'pressure.collected', { reason: 'after a reclaim of 52 MB', tookMs: 184, freedHeapBytes: 31 * MB }),
    ago(571, 'pressure.alert_cleared', { ...alert, lastedMs: 22 * 60_000 }),
    ago(572, 'pressure.level_changed', {
      ...{ level: 'low', previousLevel: 'moderate', score: 63, reason: 'container anon 322 MB of 512 MB', holders: [] },
    }),
    ago(588, 'pressure.responded', {
      ...{
        level: 'high',
        targetBytes: 64 * MB,
        claimedBytes: 53 * MB,
        accountedBytes: 52 * MB,
        residentDropBytes: 44 * MB,
        retainedBytes: 8 * MB,
      },
      ...{ collected: true, tookMs: 212 },
    }),
    ago(593, 'pressure.alert_raised', alert),
    ago(594, 'pressure.level_changed', {
      ...{ level: 'high', previousLevel: 'moderate', score: 84, reason: 'container anon 431 MB of 512 MB' },
      holders: ['store page cache 64 MB', 'recall cache 58 MB'],
    }),
    ago(3120, 'platform.opened', {
      version: '0.1.0',
      directory: '/var/lib/tenure',
      store: '/var/lib/tenure/tenure.db',
    }),
  ];
}

export const ANSWER: Answer = {
  answer:
    'Set the busy timeout, in milliseconds, when another process may hold the lock for longer:\n\n' +
    '```yaml\nstore:\n  lock_timeout_ms: 5000\n```\n\n' +
    'A write that still cannot get the lock fails with `STORE_LOCKED`, and nothing of it is kept.',
  sources: [
    {
      memoryId: 'm1',
      title: 'Store and durability',
      path: 'docs/guide/store-and-durability.md',
      heading: 'More than one process',
      excerpt: 'Set the busy timeout, in milliseconds, when another process may hold the lock for longer.',
      score: 11.42,
      why: [
        { signal: 'words', detail: 'has the words "busy", "timeout", "set"', weight: 0.82 },
        { signal: 'neighbours', detail: 'what stands just before or after it has words of the question', weight: 0.18 },
      ],
    },
    {
      memoryId: 'm2',
      title: 'Configuration',
      path: 'docs/configuration.md',
      heading: null,
      excerpt: 'lock_timeout_ms — how long a writer waits for another process, 5000 by default.',
      score: 6.07,
      why: [{ signal: 'words', detail: 'has the word "timeout"', weight: 1 }],
    },
  ],
  confident: true,
  tookMs: 3.2,
};
