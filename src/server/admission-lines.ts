/** What admission tells, as lines a person understands. */
import { formatBytes } from '../base/bytes.ts';
import type { LogLine } from '../platform/log-line.ts';
import type { AdmissionEvent } from '../pressure/admission/admission-events.ts';

const WHY = {
  pressure: 'memory pressure',
  budget: 'no room in the budget',
  quota: 'a quota is used up',
  too_large: 'larger than can ever fit',
} as const;

/** The log line of an admission event. */
export function describeAdmissionEvent(event: AdmissionEvent): LogLine {
  switch (event.type) {
    case 'admission.refusing': {
      const { reason, kind, requestBytes, openTickets, openBytes, holders } = event;
      const held = `${formatBytes(openBytes)} held by ${requests(openTickets)} in work; largest: ${holders.join(', ') || 'none'}`;
      return {
        severity: 'warning',
        text: `refusing requests, ${WHY[reason]}: ${formatBytes(requestBytes)} for ${kind}; ${held}`,
      };
    }
    case 'admission.resumed': {
      const { reason, refused, lastedMs } = event;
      return {
        severity: 'info',
        text: `no request refused for 10 s (${WHY[reason]}); ${refused} were, within ${Math.round(lastedMs / 100) / 10} s`,
      };
    }
    case 'admission.tickets_held': {
      const { tickets, bytes, kind, heldMs } = event;
      return {
        severity: 'warning',
        text: `${formatBytes(bytes)} held by ${requests(tickets)} in work for ${minutes(heldMs)}, such as ${kind}`,
      };
    }
    case 'admission.ticket_lost': {
      const { cause, kind, bytes, heldMs } = event;
      const how = cause === 'collected' ? 'nobody can release it any more' : 'open for too long';
      return {
        severity: 'error',
        text: `a ticket of ${kind} was never released (${how}); ${formatBytes(bytes)} taken back after ${minutes(heldMs)}`,
      };
    }
    case 'admission.circuit_changed': {
      const { circuit, to, reason, pauseMs } = event;
      return to === 'open'
        ? { severity: 'warning', text: `circuit of ${circuit} open for ${pauseMs} ms: ${reason}` }
        : { severity: 'info', text: `circuit of ${circuit} ${to.replace('_', ' ')}: ${reason}` };
    }
    case 'admission.estimate_failed':
      return {
        severity: 'warning',
        text: `estimate for ${event.kind} failed, the learned one is used: ${event.message}`,
      };
  }
}

function requests(count: number): string {
  return `${count} ${count === 1 ? 'request' : 'requests'}`;
}

function minutes(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
