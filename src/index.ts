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
export type { SlabHandle } from './base/slabs/block-table.ts';
export type { SlabRelease } from './base/slabs/compaction.ts';
export { SlabAllocator, type SlabAllocatorOptions, type SlabReleaseOptions } from './base/slabs/slab-allocator.ts';
export { SlabArray, type SlabArrayOptions } from './base/slabs/slab-array.ts';
export { SlabBlockInUseError, SlabHandleError, SlabMemoryError, SlabNoRoomError } from './base/slabs/slab-errors.ts';
export type { SlabGrant } from './base/slabs/slab-grant.ts';
export type { SlabStatistics } from './base/slabs/slab-statistics.ts';
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
export { SlabBytes, type SlabBytesOptions } from './budget/slab-bytes.ts';
export type { BudgetSnapshot, ConsumerSnapshot } from './budget/snapshot.ts';
export { BlobStore, type BlobStoreOptions } from './holders/blob/blob-store.ts';
export { Cache, type ComputeOptions } from './holders/cache/cache.ts';
export {
  type CacheBounds,
  type CacheOptions,
  type EvictionCause,
  GENERAL_CACHE,
  RAG_QUERY_CACHE,
  RESPONSE_CACHE,
  type RefusalCause,
  type SetOptions,
} from './holders/cache/cache-options.ts';
export type { CacheStatistics } from './holders/cache/cache-statistics.ts';
export {
  type Embed,
  EmbeddingCache,
  type EmbeddingCacheOptions,
  type EmbeddingCacheStatistics,
} from './holders/cache/embedding-cache.ts';
export type { PolicyName } from './holders/cache/policies.ts';
export type { Policy, PolicyFactory, PolicyOptions } from './holders/cache/policy.ts';
export type { SecondTier } from './holders/cache/second-tier.ts';
export { Lease } from './holders/pool/lease.ts';
export {
  type AcquireOptions,
  ObjectPool,
  type PoolCloseOptions,
  type PoolCloseReport,
} from './holders/pool/object-pool.ts';
export {
  PoolBadObjectError,
  PoolCreateError,
  PoolLeaseReturnedError,
  PoolNameTakenError,
  PoolQueueFullError,
  PoolTimeoutError,
  PoolUnknownError,
} from './holders/pool/pool-errors.ts';
export type { PoolEvent } from './holders/pool/pool-events.ts';
export type { PoolOptions, PoolSettings } from './holders/pool/pool-options.ts';
export { type NamedPool, PoolRegistry, type SharedPoolOptions } from './holders/pool/pool-registry.ts';
export type { PoolStatistics } from './holders/pool/pool-statistics.ts';
export type { SessionCodec } from './holders/session/codec.ts';
export { OpenSession } from './holders/session/open-session.ts';
export type { Session, SessionInfo } from './holders/session/session.ts';
export type {
  ChangeOptions,
  CreateOptions,
  RecordOptions,
  SessionChanges,
  SessionUpdate,
  SessionWaiting,
} from './holders/session/session-calls.ts';
export {
  SessionBusyError,
  SessionCodecError,
  SessionConflictError,
  SessionDamagedError,
  SessionMergeError,
  SessionNotFoundError,
  SessionsUnwrittenError,
  SessionTooLargeError,
  SessionValueError,
} from './holders/session/session-errors.ts';
export type { SessionEvent } from './holders/session/session-events.ts';
export type { SessionPoolOptions } from './holders/session/session-options.ts';
export { SessionPool } from './holders/session/session-pool.ts';
export type { SessionStatistics } from './holders/session/session-statistics.ts';
export type { CsvHeader, CsvRow } from './holders/stream/csv.ts';
export type { JsonEntry } from './holders/stream/json.ts';
export {
  type BinaryOptions,
  type CsvOptions,
  type JsonOptions,
  readBinary,
  readCsv,
  readJson,
  readLines,
  readNdjson,
  type TextOptions,
} from './holders/stream/readers.ts';
export { RecordStream } from './holders/stream/record-stream.ts';
export type { BatchOptions } from './holders/stream/stages.ts';
export {
  type RecordPlace,
  StreamBadRecordError,
  StreamRecordTooLargeError,
  StreamSourceError,
  StreamUsedError,
} from './holders/stream/stream-errors.ts';
export type { BadRecordDecision, StreamOptions, StreamPosition } from './holders/stream/stream-options.ts';
export type { StreamProgress } from './holders/stream/stream-progress.ts';
export type { Configuration } from './platform/configuration/keys.ts';
export { ConfigurationError } from './platform/configuration/problem.ts';
export type {
  HoldersReport,
  NodeCacheOptions,
  NodeEmbeddingOptions,
  NodePoolOptions,
  NodeSessionOptions,
} from './platform/holders.ts';
export type { NodeStatus } from './platform/node-status.ts';
export { type Readiness, Tenure, type TenureOptions } from './platform/tenure.ts';
export type { TenureEvent } from './platform/tenure-event.ts';
export { Admission, type AdmissionStatistics } from './pressure/admission/admission.ts';
export type { AdmissionEvent, CircuitState, RefusalReason } from './pressure/admission/admission-events.ts';
export type { AdmissionOptions, AdmitOptions, WaitOptions } from './pressure/admission/admission-options.ts';
export type { AdmissionBudget, PressurePort, QuotaPort } from './pressure/admission/admission-ports.ts';
export {
  CircuitBreaker,
  type CircuitBreakerOptions,
  CircuitOpenError,
  type CircuitOptions,
  type Pass,
} from './pressure/admission/circuit-breaker.ts';
export { AdmissionRefusedError, Refusal } from './pressure/admission/refusal.ts';
export { Ticket } from './pressure/admission/ticket.ts';
export type { Assessment, Term } from './pressure/assess.ts';
export { checkMemory } from './pressure/check-memory.ts';
export { Monitor, type MonitorStatus } from './pressure/monitor.ts';
export type { Reading } from './pressure/reading.ts';
export type { Json, StoredMemory } from './storage/memory-store.ts';
export type { History, HistoryPoint } from './storage/reading-store.ts';
export { type Scope, ScopeInvalidError, ScopeRequiredError } from './storage/scope.ts';
export type { SessionStore } from './storage/session-store.ts';
export { StoreError } from './storage/storage-errors.ts';
