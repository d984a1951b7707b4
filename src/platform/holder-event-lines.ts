/** What holders and admission tell, as lines a person understands; see `event-lines.ts`. */
import { formatBytes } from '../base/bytes.ts';
import type { PoolEvent } from '../holders/pool/pool-events.ts';
import type { SessionEvent } from '../holders/session/session-events.ts';
import type { AdmissionEvent } from '../pressure/admission/admission-events.ts';
import { counted, duration, type LinesOf, line } from './event-line.ts';

const WHY_REFUSED = {
  pressure: 'memory pressure',
  budget: 'no room in the budget',
  quota: 'a quota is used up',
  too_large: 'larger than can ever fit',
} as const;

export const HOLDER_LINES: LinesOf<AdmissionEvent | PoolEvent | SessionEvent> = {
  'admission.refusing': ({ reason, kind, requestBytes, openTickets, openBytes, holders }) =>
    line(
      'warning',
      `refusing work, ${WHY_REFUSED[reason]}: ${formatBytes(requestBytes)} for ${kind}; ${formatBytes(openBytes)} held by ${counted(openTickets, 'ticket')}; largest: ${holders.join(', ') || 'none'}`,
    ),
  'admission.resumed': ({ reason, refused, lastedMs }) =>
    line('info', `nothing refused for 10 s (${WHY_REFUSED[reason]}); ${refused} were, within ${duration(lastedMs)}`),
  'admission.tickets_held': ({ tickets, bytes, kind, heldMs }) =>
    line(
      'warning',
      `${formatBytes(bytes)} held by ${counted(tickets, 'ticket')} for ${duration(heldMs)}, such as ${kind}`,
    ),
  'admission.ticket_lost': ({ cause, kind, bytes, heldMs }) =>
    line(
      'error',
      `a ticket of ${kind} was never released (${cause === 'collected' ? 'nobody can release it any more' : 'open for too long'}); ${formatBytes(bytes)} taken back after ${duration(heldMs)}`,
    ),
  'admission.circuit_changed': ({ circuit, to, reason, pauseMs }) =>
    to === 'open'
      ? line('warning', `circuit of ${circuit} open for ${duration(pauseMs)}: ${reason}`)
      : line('info', `circuit of ${circuit} ${to.replace('_', ' ')}: ${reason}`),
  'admission.estimate_failed': ({ kind, message }) =>
    line('warning', `estimate for ${kind} failed, the learned one is used: ${message}`),

  'pool.create_failed': ({ pool, attempt, message, retryMs }) =>
    line(
      'warning',
      `pool ${pool}: attempt ${attempt} to make an object failed, next in ${duration(retryMs)}: ${message}`,
    ),
  'pool.check_failed': ({ pool, action, message }) =>
    line('warning', `pool ${pool}: an object failed its ${action} and is destroyed: ${message}`),
  'pool.destroy_failed': ({ pool, message }) =>
    line('warning', `pool ${pool}: destroying an object failed: ${message}`),
  'pool.exhausted': ({ pool, reason, refusals, borrowed, max, waiting }) =>
    line(
      'warning',
      `pool ${pool} is exhausted: ${counted(refusals, 'request')} refused (${reason.replace('_', ' ')}); ${borrowed} of ${max} lent, ${waiting} waiting`,
    ),
  'pool.lease_held_too_long': ({ pool, heldMs, site }) =>
    line('warning', `pool ${pool}: a lease is out for ${duration(heldMs)}${takenAt(site)}`),
  'pool.lease_abandoned': ({ pool, heldMs, site }) =>
    line('error', `pool ${pool}: a lease was dropped after ${duration(heldMs)} without being returned${takenAt(site)}`),
  'pool.lease_returned_twice': ({ pool }) => line('warning', `pool ${pool}: a lease was returned a second time`),
  'pool.leases_left': ({ pool, leases, sites }) =>
    line('error', `pool ${pool} closed with ${counted(leases, 'lease')} still out${takenAt(sites[0] ?? null)}`),

  'sessions.spilled': ({ pool, cause, sessions, bytes }) =>
    line(
      'debug',
      `${pool}: ${counted(sessions, 'session')} (${formatBytes(bytes)}) left memory for the disk: ${cause}`,
    ),
  'sessions.write_failed': ({ pool, what, sessions, code, message }) =>
    line(
      'error',
      `${pool}: writing ${what} of ${counted(sessions, 'session')} failed (${code}), kept and tried again: ${message}`,
    ),
  'sessions.write_lost': ({ pool, expectedVersion, actualVersion }) =>
    line(
      'warning',
      `${pool}: a change made from version ${expectedVersion} gave way to version ${actualVersion ?? 'none'} of another process`,
    ),
  'sessions.damaged': ({ pool, message }) => line('error', `${pool}: a session cannot be read: ${message}`),
  'sessions.purged': ({ pool, sessions }) =>
    line('debug', `${pool}: ${counted(sessions, 'expired session')} removed from the disk`),
};

/** The frame a lease was taken in, where it is known. */
function takenAt(site: string | null): string {
  const frame = site?.split('\n').find((each) => each.trim().startsWith('at '));
  return frame ? `, taken ${frame.trim()}` : '';
}
