/** What a store tells: once per outcome, flat and JSON-safe. */
import type { TenureEventBase } from '../base/events.ts';

export interface StoreOpenedEvent extends TenureEventBase {
  readonly type: 'storage.opened';
  readonly path: string;
  /** Migrations applied just now; 0 for a store that was up to date. */
  readonly migrated: number;
}

/** Writers waited for another process to let go of the lock. */
export interface LockWaitedEvent extends TenureEventBase {
  readonly type: 'storage.lock_waited';
  readonly path: string;
  readonly waitedMs: number;
}

/** No write is acknowledged any more until the store is opened again. */
export interface StoreFailedEvent extends TenureEventBase {
  readonly type: 'storage.failed';
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

export interface StoreClosedEvent extends TenureEventBase {
  readonly type: 'storage.closed';
  readonly path: string;
}

export type StoreEvent = StoreOpenedEvent | LockWaitedEvent | StoreFailedEvent | StoreClosedEvent;
