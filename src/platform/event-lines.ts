/**
 * Everything a node tells, as lines a person understands: what the log writes and the dashboard shows.
 *
 * One sentence for each event, written once: what happened, how much, and who. What happens all the time is `debug`.
 */
import { formatBytes } from '../base/bytes.ts';
import type { TenureEventBase } from '../base/events.ts';
import { type Level, levelRank } from '../base/levels.ts';
import { counted, duration, type LinesOf, line } from './event-line.ts';
import { HOLDER_LINES } from './holder-event-lines.ts';
import type { LogLine } from './log-line.ts';
import type { TenureEvent } from './tenure-event.ts';

/** The line for `event`; one that is none of ours is told by its name. */
export function describeEvent(event: TenureEventBase): LogLine {
  const describe = (LINES as Readonly<Record<string, (event: never) => LogLine>>)[event.type];
  return describe?.(event as never) ?? line('info', event.type);
}

const LEVEL_SEVERITY = { low: 'info', moderate: 'info', high: 'warning', critical: 'error' } as const;

const LINES: LinesOf<TenureEvent> = {
  ...HOLDER_LINES,

  'pressure.level_changed': ({ level, previousLevel, reason, holders }) =>
    line(
      LEVEL_SEVERITY[level],
      `pressure ${isFall(level, previousLevel) ? 'down to ' : ''}${level}: ${reason}${holders.length > 0 ? `; largest: ${holders.join(', ')}` : ''}`,
    ),
  'pressure.alert_raised': ({ severity, message, holders, done }) =>
    line(
      severity,
      `alert: ${message}${holders.length > 0 ? `; held by ${holders.join(', ')}` : ''}${done ? `; ${done}` : ''}`,
    ),
  'pressure.alert_cleared': ({ message, lastedMs }) =>
    line('info', `alert over after ${duration(lastedMs)}: ${message}`),
  'pressure.responded': ({ targetBytes, accountedBytes, residentDropBytes, retainedBytes, collected, tookMs }) =>
    line(
      'info',
      `regained ${formatBytes(accountedBytes)} of ${formatBytes(targetBytes)} in ${duration(tookMs)}; resident memory fell by ${formatBytes(residentDropBytes)}, ${formatBytes(retainedBytes)} kept by the allocator${collected ? '; garbage collected' : ''}`,
    ),
  'pressure.planned': ({ level, targetBytes, wouldCollect, wouldShed, reason }) => {
    const plan = [
      `regain ${formatBytes(targetBytes)}`,
      ...(wouldCollect ? ['collect garbage'] : []),
      ...(wouldShed ? ['refuse new work'] : []),
    ];
    return line('info', `observing only: at pressure ${level} (${reason}) would ${plan.join(', ')}`);
  },
  'pressure.sensor_failed': ({ sensor, message }) => line('warning', `sensor ${sensor} failed: ${message}`),
  'pressure.shedding_changed': ({ shedding, reason }) =>
    line(shedding ? 'error' : 'info', shedding ? `refusing new work: ${reason}` : `taking new work again: ${reason}`),
  'pressure.collected': ({ reason, tookMs, freedHeapBytes }) =>
    line('info', `garbage collected in ${duration(tookMs)} (${reason}): heap fell by ${formatBytes(freedHeapBytes)}`),

  'budget.reclaimed': ({ path, cause, accountedBytes, targetBytes, asked, end }) =>
    line(
      'debug',
      `${path}: reclaimed ${formatBytes(accountedBytes)} of ${formatBytes(targetBytes)} for a ${cause} from ${asked.join(', ') || 'nobody'} (${end})`,
    ),
  'budget.refused': ({ path, consumer, requestBytes, limitBytes, holders }) =>
    line(
      'warning',
      `${path}: no room for ${formatBytes(requestBytes)} for ${consumer} within ${formatBytes(limitBytes)}; largest: ${holders.join(', ') || 'none'}`,
    ),
  'budget.leaked': ({ path, bytes, reservations }) =>
    line('error', `${path} was closed while ${reservations} of its reservations held ${formatBytes(bytes)}`),
  'budget.consumer_failed': ({ path, failure, message, quarantineMs }) =>
    line(
      'warning',
      `${path} failed to give bytes back (${failure.replaceAll('_', ' ')}): ${message}; left alone for ${duration(quarantineMs)}`,
    ),

  'storage.opened': ({ path, migrated }) =>
    line('info', `store ${path} open${migrated > 0 ? `, ${migrated} migrations applied` : ''}`),
  'storage.lock_waited': ({ path, waitedMs }) =>
    line('warning', `waited ${duration(waitedMs)} for another process to unlock ${path}`),
  'storage.failed': ({ path, code, message }) => line('error', `store ${path} failed (${code}): ${message}`),
  'storage.closed': ({ path }) => line('debug', `store ${path} closed`),
  'storage.index_failed': ({ message }) =>
    line('warning', `text index failed; memories are safe, finding them is slower: ${message}`),

  'agent_memory.remembered': ({ count, tenant }) =>
    line('debug', `remembered ${counted(count, 'memory', 'memories')} of ${tenant}`),
  'agent_memory.forgotten': ({ count, tenant }) =>
    line('debug', `forgot ${counted(count, 'memory', 'memories')} of ${tenant}`),

  'platform.opened': ({ version, directory }) => line('info', `Tenure ${version} open in ${directory}`),
  'platform.background_failed': ({ what, message }) => line('error', `${what} failed: ${message}`),
  'platform.configuration_reloaded': ({ changed, needRestart }) =>
    line(
      'info',
      `configuration reloaded: ${changed.join(', ')}${needRestart.length > 0 ? `; restart to apply ${needRestart.join(', ')}` : ''}`,
    ),
  'platform.configuration_rejected': ({ message }) =>
    line('error', `configuration not reloaded, the one in force stays: ${message}`),
};

function isFall(level: Level, previousLevel: Level): boolean {
  return levelRank(level) < levelRank(previousLevel);
}
