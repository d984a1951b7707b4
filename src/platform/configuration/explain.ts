/** What is wrong with one written value, in the words of who wrote it, with the value that would be right where it is clear. */
import type { Key, Range, Unit } from './key.ts';

const SIZES = {
  b: 2 ** -20,
  kb: 2 ** -10,
  kib: 2 ** -10,
  m: 1,
  mb: 1,
  mib: 1,
  g: 1024,
  gb: 1024,
  gib: 1024,
  tb: 2 ** 20,
};
const SECONDS = { ms: 0.001, s: 1, sec: 1, m: 60, min: 60, h: 3600, hr: 3600, d: 86_400 };

/** What a suffix a person may write is worth in the key's own unit. */
const SUFFIXES: Readonly<Record<Unit, Readonly<Record<string, number>>>> = {
  MB: SIZES,
  'MB per hour': SIZES,
  seconds: SECONDS,
  milliseconds: Object.fromEntries(Object.entries(SECONDS).map(([suffix, seconds]) => [suffix, seconds * 1000])),
  percent: { '%': 1 },
  share: { '%': 0.01 },
  points: {},
  count: {},
};

/** Says why `written` cannot stand at `key`, and what can. */
export function explain(written: unknown, key: Key<unknown>): string {
  return `${wrong(written, key)} Expected ${key.expected}.`;
}

function wrong(written: unknown, key: Key<unknown>): string {
  if (written === null || written === undefined) return 'has no value.';
  if (Array.isArray(written) && key.kind === 'paths') return 'has an entry that is no path.';
  if (typeof written === 'object') return `is a ${Array.isArray(written) ? 'list' : 'group of keys'}.`;
  if (typeof written === 'number' && key.range) return wrongNumber(written, key.range);
  if (typeof written === 'string' && key.range) return wrongText(written, key.range.unit);
  return `is ${show(written)}.`;
}

function wrongNumber(written: number, { min, max, whole }: Range): string {
  if (!Number.isFinite(written)) return `is ${written}, which is no number to work with.`;
  if (written < 0) return `is ${written}; it cannot be negative.`;
  if (written < min) return `is ${written}, which is too small.`;
  if (written > max) return `is ${written}, which is too large.`;
  return whole ? `is ${written}, which has a fraction.` : `is ${written}.`;
}

function wrongText(written: string, unit: Unit): string {
  if (written.trim() !== '' && Number.isFinite(Number(written))) {
    return `is the text ${show(written)}; write ${Number(written)} without quotes.`;
  }
  const [, amount, suffix] = /^\s*(\d+(?:\.\d+)?)\s*([a-z%]+)\s*$/i.exec(written) ?? [];
  const worth = suffix && SUFFIXES[unit][suffix.toLowerCase()];
  if (!worth) return `is ${show(written)}.`;
  return `is ${show(written)}, with a unit; this key is already in ${unit}: write ${Number((Number(amount) * worth).toFixed(3))}.`;
}

function show(written: unknown): string {
  const shown = JSON.stringify(written);
  return shown.length <= 60 ? shown : `${shown.slice(0, 57)}…"`;
}
