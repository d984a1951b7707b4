/**
 * The public API of Tenure: re-exports only.
 */
export type { IngestDocument } from './agent-memory/ingest/document.ts';
export type { IngestProgress } from './agent-memory/ingest/progress.ts';
export type { IngestReport } from './agent-memory/ingest/report.ts';
export { walk } from './agent-memory/ingest/walk.ts';
export { LongTermMemory } from './agent-memory/long-term.ts';
export { MemoryTooLargeError, type RememberItem, type RememberOptions } from './agent-memory/memory-input.ts';
export type { Reason, Signal } from './agent-memory/recall/reasons.ts';
export { QueryError, type Recalled, type RecallOptions } from './agent-memory/recall/recall.ts';
export type { Answer, AnswerSource, AskOptions } from './agents/help/help-agent.ts';
export { HelpAgent } from './agents/help/help-agent.ts';
export { InvariantError } from './base/assert.ts';
export { formatBytes, parseBytes } from './base/bytes.ts';
export { type Clock, systemClock, type Timer } from './base/clock.ts';
export { ClosedError, InvalidArgumentError, TenureError, TimeoutError } from './base/errors.ts';
export { EventHub, type TenureEventBase } from './base/events.ts';
export type { Level } from './base/levels.ts';
export { ResourceScope } from './base/resource-scope.ts';
export {
  Budget,
  type BudgetOptions,
  type ChildBudgetOptions,
  type LeakReport,
  type ReclaimOptions,
} from './budget/budget.ts';
export { BudgetExceededError } from './budget/budget-errors.ts';
export type { Consumer, ReclaimRequest, Residence } from './budget/consumer.ts';
export { estimateBytes } from './budget/estimator.ts';
export { HolderBytes, type HolderOptions } from './budget/holder-bytes.ts';
export { type QuotaBook, Quotas, type QuotaUse } from './budget/quota.ts';
export { Registration } from './budget/registration.ts';
export { type GrowOptions, Reservation } from './budget/reservation.ts';
export type { BudgetSnapshot, ConsumerSnapshot } from './budget/snapshot.ts';
export type { Configuration } from './platform/configuration/keys.ts';
export { ConfigurationError } from './platform/configuration/problem.ts';
export type { NodeStatus } from './platform/node-status.ts';
export { type Readiness, Tenure, type TenureOptions } from './platform/tenure.ts';
export type { TenureEvent } from './platform/tenure-event.ts';
export type { Assessment, Term } from './pressure/assess.ts';
export { checkMemory } from './pressure/check-memory.ts';
export { Monitor, type MonitorStatus } from './pressure/monitor.ts';
export type { Reading } from './pressure/reading.ts';
export type { Json, StoredMemory } from './storage/memory-store.ts';
export type { History, HistoryPoint } from './storage/reading-store.ts';
export { type Scope, ScopeInvalidError, ScopeRequiredError } from './storage/scope.ts';
export { StoreError } from './storage/storage-errors.ts';
