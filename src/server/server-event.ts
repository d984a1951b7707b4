/** What the server tells. */
import type { TenureEventBase } from '../base/events.ts';

export interface ServerListeningEvent extends TenureEventBase {
  readonly type: 'server.listening';
  readonly address: string;
  readonly port: number;
}

export interface ServerClosedEvent extends TenureEventBase {
  readonly type: 'server.closed';
  /** Requests that were still being answered when the time to close was over. */
  readonly abandoned: number;
}

/** A request failed by the server's fault. */
export interface RequestFailedEvent extends TenureEventBase {
  readonly type: 'server.request_failed';
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export type ServerEvent = ServerListeningEvent | ServerClosedEvent | RequestFailedEvent;
