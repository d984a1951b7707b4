/**
 * A node for tests of the server: memories in a map, a state that tests set, no store and no sensors.
 *
 * It keeps the promises the server relies on (scopes are separate, ids are unique) and nothing more.
 */
import { createHash } from 'node:crypto';
import type { Recalled } from '../agent-memory/recall/recall.ts';
import { GIB, MIB } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { EventHub, type TenureEventBase } from '../base/events.ts';
import type { Level } from '../base/levels.ts';
import { Budget } from '../budget/budget.ts';
import type { NodeStatus } from '../platform/node-status.ts';
import type { Readiness } from '../platform/tenure.ts';
import { Admission } from '../pressure/admission/admission.ts';
import type { StoredMemory } from '../storage/memory-store.ts';
import { requireScope, type Scope, samePartition } from '../storage/scope.ts';
import type { ServedNode } from './served-node.ts';

export interface FakeNode extends ServedNode {
  readonly budget: Budget;
  readonly events: EventHub<TenureEventBase>;
  readonly monitor: { shedding: boolean; status: ServedNode['monitor']['status'] };
  /** Documents taken in: name and the bytes as they were read. */
  readonly taken: { name: string; scope: Scope; bytes: number; sha256: string }[];
  /** Replaces parts of the state. */
  set(state: { level?: Level; atMs?: number; ready?: Readiness }): void;
  ingest: ServedNode['ingest'];
  /** Replaces what recall does. */
  onRecall: ((query: string, signal: AbortSignal | undefined) => Promise<readonly Recalled[]>) | undefined;
}

export function createFakeNode(options: {
  clock: Clock;
  directory: string;
  server?: Partial<ServedNode['configuration']['server']>;
}): FakeNode {
  const { clock, directory } = options;
  const memories = new Map<string, StoredMemory>();
  const events = new EventHub<TenureEventBase>({
    onSubscriberError: (error) => {
      throw error;
    },
  });
  const budget = new Budget({ name: 'node', limitBytes: GIB, clock });
  let status = calmStatus(clock.nowMs());
  let readiness: Readiness = { status: 'ready', checks: { store: 'ok', memory: 'ok' } };

  const inScope = (id: string, scope: Scope) => {
    const memory = memories.get(id);
    return memory && samePartition(memory.scope, requireScope(scope)) ? memory : null;
  };

  const fake: FakeNode = {
    configuration: {
      server: {
        host: '127.0.0.1',
        port: 0,
        bodyLimitBytes: MIB,
        ingestLimitBytes: 64 * MIB,
        requestTimeoutMs: 30_000,
        ...options.server,
      },
      monitoring: {
        storedIntervalMs: 30_000,
        sensorIntervalMs: 250,
        optimizationIntervalMs: 300_000,
        predictionIntervalMs: 600_000,
        observeOnly: false,
      },
    },
    paths: { directory },
    events,
    monitor: {
      shedding: false,
      status: () => ({ reading: status.reading, assessment: status.pressure, peakBytes: status.peakBytes }),
    },
    budget: Object.assign(budget, { snapshot: () => status.budget }),
    admission: new Admission({
      ...{ budget, clock, events: events.emit, minBytes: 4 * MIB },
      pressure: {
        get shedding() {
          return fake.monitor.shedding;
        },
      },
      observeOnly: () => fake.configuration.monitoring.observeOnly,
    }),
    taken: [],
    onRecall: undefined,
    memory: {
      async remember(text, { signal: _signal, ...rest }) {
        const [memory] = await fake.memory.rememberAll([{ ...rest, text }]);
        return memory!;
      },
      async rememberAll(items) {
        const made = items.map((item, index) => ({
          id: `memory-${memories.size + index}`,
          scope: requireScope(item.scope),
          text: item.text,
          tags: item.tags ?? [],
          metadata: item.metadata ?? {},
          importance: item.importance ?? 0.5,
          createdAtMs: clock.nowMs(),
          atMs: item.atMs ?? clock.nowMs(),
          validFromMs: item.validFromMs ?? null,
          validToMs: item.validToMs ?? null,
          expiresAtMs: null,
          pinned: item.pinned ?? false,
          source: item.source ?? null,
          speaker: item.speaker ?? null,
          model: null,
          uses: 0,
          lastUsedAtMs: null,
        }));
        for (const memory of made) memories.set(memory.id, memory);
        return made;
      },
      async recall(query, { scope, signal, limit = 5 }) {
        if (fake.onRecall) return fake.onRecall(query, signal);
        const why = [{ signal: 'words' as const, detail: 'has the words', weight: 1 }];
        return [...memories.values()]
          .filter((memory) => samePartition(memory.scope, requireScope(scope)) && memory.text.includes(query))
          .slice(0, limit)
          .map((memory) => ({ memory, score: 1, why }));
      },
      get: async (id, scope) => inScope(id, scope),
      forget: async (id, scope) => inScope(id, scope) !== null && memories.delete(id),
    },
    help: {
      ask: async (question) => ({ answer: `About ${question}`, sources: [], confident: false, tookMs: 1 }),
    },
    status: () => status,
    readiness: () => readiness,
    history: async ({ fromMs, toMs, points }) => ({ resolutionMs: (toMs - fromMs) / points, points: [] }),
    recentEvents: (limit) =>
      Array.from({ length: Math.min(limit, 3) }, (_, index) => ({ type: 'test.happened', atMs: index })),
    async ingest(documents, { scope }) {
      let bytes = 0;
      for (const { name, open } of documents) {
        const hash = createHash('sha256');
        for await (const chunk of open()) {
          hash.update(chunk);
          bytes += chunk.byteLength;
        }
        fake.taken.push({ name, scope, bytes, sha256: hash.digest('hex') });
      }
      const none = { unchanged: 0, failed: [], badLines: 0, replacedCharacters: 0, warnings: [] };
      return { ...none, documents: 1, passages: 1, bytes, tookMs: 1 };
    },
    set({ level, atMs, ready }) {
      if (ready) readiness = ready;
      status = {
        ...status,
        reading: { ...status.reading, atMs: atMs ?? status.reading.atMs },
        pressure: { ...status.pressure, level: level ?? status.pressure.level },
      };
    },
  };
  return fake;
}

function calmStatus(atMs: number): NodeStatus {
  return {
    reading: {
      atMs,
      limit: { bytes: GIB, source: 'physical' },
      systemTotalBytes: 4 * GIB,
      systemAvailableBytes: 3 * GIB,
      systemUsedPercent: 25,
      rssBytes: 100 * MIB,
      anonBytes: 64 * MIB,
      heap: { usedBytes: 20 * MIB, liveBytes: 16 * MIB, limitBytes: 2 * GIB, usableLimitBytes: 2 * GIB - 48 * MIB },
      externalBytes: MIB,
      arrayBufferBytes: MIB,
      vectorIndexBytes: 0,
      embeddingCacheBytes: 0,
      collection: { share: 0.01, majorPerMinute: 1 },
      consumers: [{ name: 'cache', bytes: MIB }],
    },
    pressure: {
      score: 12,
      level: 'low',
      reason: 'anon 64 of 1024 MB',
      targetBytes: 0,
      processTargetBytes: 0,
      heapTargetBytes: 0,
      terms: [],
    },
    budget: {
      name: 'node',
      path: 'node',
      limitBytes: GIB,
      reservedBytes: MIB,
      availableBytes: GIB - MIB,
      peakBytes: MIB,
      grantCount: 1,
      consumers: [
        {
          ...{ name: 'cache', path: 'node/cache', where: 'heap', priority: 5, bytes: MIB, peakBytes: MIB, minBytes: 0 },
          ...{ reclaimableBytes: MIB, idleBytes: 0, yieldRatio: 1, grants: 1 },
        },
      ],
      children: [],
    },
    trend: 'stable',
    growthMbPerHour: 0,
    peakBytes: 80 * MIB,
    averageBytes: 64 * MIB,
    efficiencyScore: 50,
    opportunities: [],
    alerts: [],
    status: 'OK',
    shedding: false,
    observeOnly: false,
    driftBytes: 3 * MIB,
    retainedBytes: 2 * MIB,
    ...{ caches: [], pools: [], sessions: [], quotas: [] },
    admission: {
      ...{ admitted: 0, wouldHaveRefused: 0, openTickets: 0, openBytes: 0, waiting: 0, lost: 0, overruns: 0 },
      ...{ refused: { pressure: 0, budget: 0, quota: 0, circuit_open: 0, too_large: 0 }, circuit: 'closed' },
    },
    store: { path: '/data/tenure.db', sizeBytes: 4096, memories: 0, scopes: 0 },
    node: { version: '0.1.0', nodeVersion: process.version, pid: process.pid, startedAtMs: atMs },
  };
}
