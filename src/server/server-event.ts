/** What the server tells. */
import type { TenureEventBase } from '../base/events.ts';
import type { LogLine } from '../platform/log-line.ts';

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
  /** Where it was thrown, when it is a defect rather than an error with a code. */
  readonly stack: string | null;
}

export type ServerEvent = ServerListeningEvent | ServerClosedEvent | RequestFailedEvent;

/** The log line of a server event. */
export function describeServerEvent(event: ServerEvent): LogLine {
  switch (event.type) {
    case 'server.listening':
      return { severity: 'info', text: `listening on ${urlOf(event)}` };
    case 'server.closed':
      return event.abandoned === 0
        ? { severity: 'info', text: 'server closed' }
        : { severity: 'warning', text: `server closed; ${event.abandoned} requests were cut off` };
    case 'server.request_failed':
      return {
        severity: 'error',
        text: `${event.method} ${event.path} failed (${event.code}): ${event.stack ?? event.message}`,
      };
  }
}

/** `http://127.0.0.1:7341`; an IPv6 address in brackets. */
function urlOf({ address, port }: { address: string; port: number }): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}
