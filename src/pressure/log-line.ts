/** Pressure events as lines a person understands. */
import { formatBytes } from '../base/bytes.ts';
import type { Severity } from './alert.ts';
import type { PressureEvent } from './pressure-events.ts';

export interface LogLine {
  readonly severity: Severity;
  readonly text: string;
}

/** Such as `pressure high: anon 412 of 512 MB; largest: vectors 180 MB, sessions 96 MB`. */
export function logLineOf(event: PressureEvent): LogLine {
  switch (event.type) {
    case 'pressure.level_changed': {
      const severity = event.level === 'critical' ? 'error' : event.level === 'high' ? 'warning' : 'info';
      return { severity, text: `pressure ${event.level}: ${event.reason}${largest(event.holders)}` };
    }
    case 'pressure.alert_raised': {
      const again = event.reminders > 0 ? ` (reminder ${event.reminders})` : '';
      return { severity: event.severity, text: `alert ${event.kind}${again}: ${event.message}` };
    }
    case 'pressure.alert_cleared':
      return { severity: 'info', text: `alert ${event.kind} cleared after ${Math.round(event.lastedMs / 1000)} s` };
    case 'pressure.responded': {
      const { targetBytes, claimedBytes, accountedBytes, residentDropBytes, collected, level } = event;
      const numbers = `claimed ${formatBytes(claimedBytes)}, off the books ${formatBytes(accountedBytes)}, resident drop ${formatBytes(residentDropBytes)}`;
      const garbage = collected ? ', garbage collected' : '';
      return {
        severity: 'info',
        text: `response to ${level}: asked for ${formatBytes(targetBytes)}, ${numbers}${garbage}`,
      };
    }
    case 'pressure.planned': {
      const steps = [
        `reclaim ${formatBytes(event.targetBytes)}`,
        ...(event.wouldCollect ? ['collect garbage'] : []),
        ...(event.wouldShed ? ['refuse new work'] : []),
      ];
      return {
        severity: 'info',
        text: `observe only, pressure ${event.level} (${event.reason}): would ${steps.join(', ')}`,
      };
    }
    case 'pressure.sensor_failed':
      return { severity: 'warning', text: `${event.sensor} failed and is skipped: ${event.message}` };
    case 'pressure.shedding_changed':
      return event.shedding
        ? { severity: 'error', text: `refusing new work: ${event.reason}` }
        : { severity: 'info', text: 'accepting new work again' };
    case 'pressure.collected': {
      const { reason, tookMs, freedHeapBytes } = event;
      return {
        severity: 'info',
        text: `garbage collected in ${Math.round(tookMs)} ms (${reason}), heap fell by ${formatBytes(freedHeapBytes)}`,
      };
    }
  }
}

function largest(holders: readonly string[]): string {
  return holders.length === 0 ? '' : `; largest: ${holders.join(', ')}`;
}
