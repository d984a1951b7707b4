/**
 * An event as a sentence: the line the server's log has for it, set for reading.
 *
 * The words are made in one place, the server's; here they only get their capital, their full stop, and sizes that do not break.
 */
import type { NodeEvent } from './wire.ts';

export type Tone = 'plain' | 'good' | 'warning' | 'bad';

/** An event that stands for its like: neighbours of the same words. */
export type GatheredEvent = NodeEvent & { readonly times: number };

const UNIT = /(?<=\d) (?=(?:[KMGT]?B|ms|s|min|h|%)(?![\w]))/g;

export function sentenceOf({ text }: NodeEvent): string {
  const words = withoutDate(text.trim()).replaceAll(UNIT, '\u00a0');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?…]$/.test(words) ? '' : '.'}`;
}

/** An alert's words without its date: the time is told beside it, in the reader's own words. */
export function withoutDate(text: string): string {
  return text.replace(/, since \d{4}-\d\d-\d\dT[^;]*/, '');
}

/** How it is marked; the sentence says the same in words. */
export function toneOf({ type, level, severity }: NodeEvent): Tone {
  if (type === 'pressure.alert_cleared' || (type === 'pressure.level_changed' && level === 'low')) return 'good';
  return severity === 'error' ? 'bad' : severity === 'warning' ? 'warning' : 'plain';
}

/** Neighbours told in the same words become one: a busy agent remembers hundreds of times a minute. The newest stands for all. */
export function gathered(events: readonly NodeEvent[]): GatheredEvent[] {
  const result: GatheredEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (last?.text === event.text) result[result.length - 1] = { ...last, times: last.times + 1 };
    else result.push({ ...event, times: 1 });
  }
  return result;
}
