/** Everything a node tells, as one union. */
import type { MemoryEvent } from '../agent-memory/long-term.ts';
import type { TenureEventBase } from '../base/events.ts';
import type { BudgetEvent } from '../budget/budget-events.ts';
import type { PoolEvent } from '../holders/pool/pool-events.ts';
import type { SessionEvent } from '../holders/session/session-events.ts';
import type { AdmissionEvent } from '../pressure/admission/admission-events.ts';
import type { PressureEvent } from '../pressure/pressure-events.ts';
import type { IndexFailedEvent } from '../storage/sqlite/memory-store.ts';
import type { StoreEvent } from '../storage/storage-events.ts';
import type { ConfigurationEvent } from './configuration/watch.ts';

/** Tenure is open; where things are. */
export interface OpenedEvent extends TenureEventBase {
  readonly type: 'platform.opened';
  readonly version: string;
  readonly directory: string;
  readonly store: string;
}

/** Something failed in the background; the node goes on. */
export interface BackgroundFailedEvent extends TenureEventBase {
  readonly type: 'platform.background_failed';
  readonly what: string;
  readonly message: string;
}

export type PlatformEvent = OpenedEvent | BackgroundFailedEvent | ConfigurationEvent;

/** Everything that can happen in a node, told apart by `type`. */
export type TenureEvent =
  | BudgetEvent
  | PressureEvent
  | AdmissionEvent
  | PoolEvent
  | SessionEvent
  | StoreEvent
  | IndexFailedEvent
  | MemoryEvent
  | PlatformEvent;
