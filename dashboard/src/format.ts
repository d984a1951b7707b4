/** Numbers and times as a person reads them. As in the rest of Tenure, 1 MB is 2^20 bytes. */

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

/** `412 MB`, `1.4 GB`; null is not known. With `digits`, always that many decimals from MB up, so that a live figure keeps its width. */
export function formatBytes(bytes: number | null | undefined, digits?: number): string {
  if (bytes == null) return 'not known';
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, Math.abs(bytes))) / 10));
  const value = bytes / 1024 ** power;
  const decimals = power < 2 ? 0 : (digits ?? (Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0));
  return `${value.toFixed(decimals)}\u00a0${UNITS[power]}`;
}

/** A share of `whole` as `41 %`; an en dash where there is no whole. */
export function formatShare(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((100 * part) / whole)}\u00a0%` : '–';
}

const SPANS: readonly [limitMs: number, unitMs: number, unit: string][] = [
  [90_000, 1000, 's'],
  [90 * 60_000, 60_000, 'min'],
  [36 * 3_600_000, 3_600_000, 'h'],
  [Number.POSITIVE_INFINITY, 86_400_000, 'days'],
];

/** `12 s`, `7 min`, `5 h`, `3 days`. Below a tenth of a second in milliseconds. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 100) return `${Number(durationMs.toPrecision(2))}\u00a0ms`;
  const [, unitMs, unit] = SPANS.find(([limitMs]) => durationMs < limitMs)!;
  const value = durationMs / unitMs;
  return `${durationMs < 10_000 && unit === 's' ? Number(value.toFixed(1)) : Math.round(value)}\u00a0${unit}`;
}

/** `just now`, `40 s ago`, `3 h ago`. A clock of the server that runs ahead counts as now. */
export function formatAgo(elapsedMs: number): string {
  return elapsedMs < 2000 ? 'just now' : `${formatDuration(Math.floor(elapsedMs / 1000) * 1000)} ago`;
}

const clockTime = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const dayTime = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

/** `14:03:07`. */
export function formatClock(atMs: number): string {
  return clockTime.format(atMs);
}

/** `Fri, 21 Nov, 14:03`, in the order of the reader's language. */
export function formatDay(atMs: number): string {
  return dayTime.format(atMs);
}

/** The time of day for today, with the day for any other. */
export function formatMoment(atMs: number, nowMs: number): string {
  return new Date(atMs).toDateString() === new Date(nowMs).toDateString() ? formatClock(atMs) : formatDay(atMs);
}
