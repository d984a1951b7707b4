/**
 * What the server needs of a node.
 *
 * `Tenure` has this shape by itself; that the server names only this much keeps it clear what HTTP can reach, and lets tests
 * serve a small fake.
 */
import type { z } from '@hono/zod-openapi';
import type { IngestDocument } from '../agent-memory/ingest/document.ts';
import type { IngestReport } from '../agent-memory/ingest/report.ts';
import type { LongTermMemory } from '../agent-memory/long-term.ts';
import type { HelpAgent } from '../agents/help/help-agent.ts';
import type { TenureEventBase } from '../base/events.ts';
import type { Configuration } from '../platform/configuration/keys.ts';
import type { Scope } from '../storage/scope.ts';
import type { readinessSchema } from './schemas/health.ts';
import type { historySchema, nodeStatusSchema } from './schemas/monitoring.ts';

export interface ServedNode {
  readonly configuration: Pick<Configuration, 'server' | 'monitoring'>;
  readonly paths: { readonly directory: string };
  readonly memory: Pick<LongTermMemory, 'remember' | 'rememberAll' | 'recall' | 'get' | 'forget'>;
  readonly help: Pick<HelpAgent, 'ask'>;
  readonly events: { subscribe(subscriber: (event: TenureEventBase) => void): Disposable };
  /** `shedding` is true while pressure is critical: new work is refused. */
  readonly monitor: { readonly shedding: boolean };
  status(): z.infer<typeof nodeStatusSchema>;
  readiness(): Promise<z.infer<typeof readinessSchema>> | z.infer<typeof readinessSchema>;
  history(range: { fromMs: number; toMs: number; points: number }): Promise<z.infer<typeof historySchema>>;
  /** Newest first. */
  recentEvents(limit: number): readonly TenureEventBase[];
  ingest(documents: Iterable<IngestDocument>, options: { scope: Scope; signal?: AbortSignal }): Promise<IngestReport>;
}
