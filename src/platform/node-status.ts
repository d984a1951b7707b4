/** The state of a node as one object: what `/monitoring/memory` answers and the dashboard shows. */
import { formatBytes, MIB } from '../base/bytes.ts';
import type { BudgetSnapshot } from '../budget/snapshot.ts';
import type { AdmissionStatistics } from '../pressure/admission/admission.ts';
import type { Alert, PlainStatus } from '../pressure/alert.ts';
import type { Assessment } from '../pressure/assess.ts';
import type { MonitorStatus } from '../pressure/monitor.ts';
import type { Reading, Trend } from '../pressure/reading.ts';
import type { HistoryFigures, HistoryPoint } from '../storage/reading-store.ts';
import type { HoldersReport } from './holders.ts';
import { VERSION } from './version.ts';

/** The state of a node in one object: the body of `GET /monitoring/memory`. */
export interface NodeStatus extends HoldersReport {
  readonly reading: Reading;
  readonly pressure: Assessment;
  readonly budget: BudgetSnapshot;
  readonly trend: Trend;
  readonly growthMbPerHour: number;
  /** Of anonymous memory, since the monitor started. */
  readonly peakBytes: number;
  /** Of anonymous memory, over five minutes. */
  readonly averageBytes: number;
  /** 0 to 100: bytes doing useful work over bytes held. */
  readonly efficiencyScore: number;
  /** What could be had back, as sentences. */
  readonly opportunities: readonly string[];
  readonly alerts: readonly Alert[];
  /** In one word, for scripts: `CRITICAL` while an alert of severity error stands, `WARNING` with a warning, else `OK`. */
  readonly status: PlainStatus;
  /** New work is refused. */
  readonly shedding: boolean;
  readonly observeOnly: boolean;
  /** Grown since the start, and reserved by no consumer. */
  readonly driftBytes: number;
  /** Freed here, kept by the allocator. */
  readonly retainedBytes: number;
  /** Work that was taken and refused. */
  readonly admission: AdmissionStatistics;
  readonly store: {
    readonly path: string;
    readonly sizeBytes: number;
    readonly memories: number;
    readonly scopes: number;
  };
  readonly node: {
    readonly version: string;
    readonly nodeVersion: string;
    readonly pid: number;
    readonly startedAtMs: number;
  };
}

export function statusOf(from: {
  monitor: MonitorStatus;
  budget: BudgetSnapshot;
  holders: HoldersReport;
  admission: AdmissionStatistics;
  store: NodeStatus['store'];
  startedAtMs: number;
}): NodeStatus {
  const { monitor, budget, holders, admission, store, startedAtMs } = from;
  return {
    reading: monitor.reading,
    pressure: monitor.assessment,
    budget,
    trend: monitor.trend,
    growthMbPerHour: monitor.growthBytesPerHour / MIB,
    peakBytes: monitor.peakBytes,
    averageBytes: monitor.averageBytes,
    efficiencyScore: monitor.efficiencyScore,
    opportunities: monitor.opportunities.map(({ what, bytes }) => `${formatBytes(bytes)} ${what}`),
    alerts: monitor.alerts,
    status: monitor.status,
    shedding: monitor.shedding,
    observeOnly: monitor.observeOnly,
    driftBytes: monitor.driftBytes,
    retainedBytes: monitor.retainedBytes,
    ...holders,
    admission,
    store,
    node: { version: VERSION, nodeVersion: process.versions.node, pid: process.pid, startedAtMs },
  };
}

/** The last reading as a point of the history. */
export function historyPointOf(status: MonitorStatus, reservedBytes: number): HistoryPoint {
  const { reading, assessment } = status;
  return {
    atMs: reading.atMs,
    rssBytes: reading.rssBytes,
    anonBytes: reading.anonBytes,
    heapUsedBytes: reading.heap.usedBytes,
    liveHeapBytes: reading.heap.liveBytes ?? null,
    externalBytes: reading.externalBytes,
    limitBytes: reading.limit.bytes,
    reservedBytes,
    score: assessment.score,
    level: assessment.level,
    consumers: reading.consumers,
    figures: figuresOf(status),
  };
}

function figuresOf({ reading, driftBytes, retainedBytes }: MonitorStatus): HistoryFigures {
  const { heap, container, stall, collection } = reading;
  return {
    systemTotalBytes: reading.systemTotalBytes,
    systemAvailableBytes: reading.systemAvailableBytes,
    systemUsedPercent: reading.systemUsedPercent,
    arrayBufferBytes: reading.arrayBufferBytes,
    vectorIndexBytes: reading.vectorIndexBytes,
    embeddingCacheBytes: reading.embeddingCacheBytes,
    ...(heap.committedBytes === undefined ? {} : { heapCommittedBytes: heap.committedBytes }),
    usableHeapLimitBytes: heap.usableLimitBytes,
    ...(container && { containerUsedBytes: container.usedBytes, containerAnonBytes: container.anonBytes }),
    ...(container?.limitBytes === undefined ? {} : { containerLimitBytes: container.limitBytes }),
    ...(stall && { stallSomePercent: stall.someAvg10, stallFullPercent: stall.fullAvg10 }),
    collectionShare: collection.share,
    majorCollectionsPerMinute: collection.majorPerMinute,
    driftBytes,
    retainedBytes,
  };
}
