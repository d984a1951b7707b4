/**
 * What the server needs of a node.
 *
 * `Tenure` has this shape by itself; that the server names only this much keeps it clear what HTTP can reach, and lets tests
 * serve a small fake.
 */
import type { IngestDocument } from '../agent-memory/ingest/document.ts';
import type { IngestReport } from '../agent-memory/ingest/report.ts';
import type { LongTermMemory } from '../agent-memory/long-term.ts';
import type { HelpAgent } from '../agents/help/help-agent.ts';
import type { TenureEventBase } from '../base/events.ts';
import type { BudgetSnapshot } from '../budget/snapshot.ts';
import type { Configuration } from '../platform/configuration/keys.ts';
import type { NodeStatus } from '../platform/node-status.ts';
import type { Readiness } from '../platform/tenure.ts';
import type { Admission } from '../pressure/admission/admission.ts';
import type { MonitorStatus } from '../pressure/monitor.ts';
import type { History } from '../storage/reading-store.ts';
import type { Scope } from '../storage/scope.ts';

export interface ServedNode {
  readonly configuration: Pick<Configuration, 'server' | 'monitoring'>;
  readonly paths: { readonly directory: string };
  readonly memory: Pick<LongTermMemory, 'remember' | 'rememberAll' | 'recall' | 'get' | 'forget'>;
  readonly help: Pick<HelpAgent, 'ask'>;
  readonly events: { subscribe(subscriber: (event: TenureEventBase) => void): Disposable };
  readonly monitor: {
    /** New work is to be refused. */
    readonly shedding: boolean;
    status(): Pick<MonitorStatus, 'reading' | 'assessment' | 'peakBytes'>;
  };
  readonly budget: { snapshot(): BudgetSnapshot };
  /** What takes requests, or refuses them. */
  readonly admission: Admission;
  status(): NodeStatus;
  readiness(): Readiness;
  history(range: { fromMs: number; toMs: number; points: number }): Promise<History>;
  /** Newest first. */
  recentEvents(limit: number): readonly TenureEventBase[];
  ingest(documents: Iterable<IngestDocument>, options: { scope: Scope; signal?: AbortSignal }): Promise<IngestReport>;
}
