/** One line of a log: how serious, and what to say to a person. */

/** From the least to the most serious. */
export const SEVERITIES = ['debug', 'info', 'warning', 'error'] as const;

export type Severity = (typeof SEVERITIES)[number];

export interface LogLine {
  readonly severity: Severity;
  readonly text: string;
}

/** Least severity that is written, or nothing at all. */
export type LogLevel = Severity | 'silent';

/** True when a line of `severity` is written at `level`. */
export function isWritten(severity: Severity, level: LogLevel): boolean {
  return level !== 'silent' && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(level);
}
