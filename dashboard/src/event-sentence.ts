/**
 * An event as a sentence.
 *
 * The events people ask about have a sentence of their own. The rest are told from their own words: the name says what happened,
 * and fields carry their unit as the last word of their name, so an event this page has never heard of still reads well.
 */
import { formatBytes, formatClock, formatDuration } from './format.ts';
import type { NodeEvent } from './wire.ts';

export type Tone = 'plain' | 'good' | 'warning' | 'bad';

/** Fields as the room that emits the event declares them. */
type Fields = Readonly<Record<string, unknown>>;

const SENTENCES: Readonly<Record<string, (of: Fields) => string>> = {
  'pressure.level_changed': (of) =>
    `Pressure ${isRise(of) ? 'rose' : 'fell'} from ${of['previousLevel']} to ${of['level']}: ${of['reason']}.${largest(of)}`,
  'pressure.alert_raised': (of) => `Alert: ${alertWords(String(of['message']))}.`,
  'pressure.alert_cleared': (of) =>
    `Alert over after ${ms(of['lastedMs'])}: ${alertWords(String(of['message'])).split(';')[0]}.`,
  'pressure.responded': (of) =>
    `Reclaimed ${bytes(of['accountedBytes'])} of ${bytes(of['targetBytes'])} wanted in ${ms(of['tookMs'])}` +
    `${of['collected'] ? ', with one garbage collection' : ''}; resident memory fell by ${bytes(of['residentDropBytes'])}.`,
  'pressure.planned': (of) => `Observe only: would have reclaimed ${bytes(of['targetBytes'])} (${of['reason']}).`,
  'pressure.collected': (of) =>
    `Collected garbage in ${ms(of['tookMs'])}: ${bytes(of['freedHeapBytes'])} of heap freed (${of['reason']}).`,
  'pressure.shedding_changed': (of) => `New work is ${of['shedding'] ? 'refused' : 'taken again'}: ${of['reason']}.`,
  'budget.reclaimed': (of) =>
    `Got back ${bytes(of['accountedBytes'])} of ${bytes(of['targetBytes'])} asked for ${of['path']}, from ${list(of['asked']) || 'nobody'}.`,
  'budget.refused': (of) =>
    `Refused ${bytes(of['requestBytes'])} to ${of['consumer']}: ${bytes(of['reservedBytes'])} of ${bytes(of['limitBytes'])} ` +
    `reserved in ${of['path']}.${largest(of)}`,
  'budget.leaked': (of) => `${of['path']} was closed with ${bytes(of['bytes'])} still reserved.`,
  'budget.consumer_failed': (of) => `${of['path']} failed when asked for ${bytes(of['askedBytes'])}: ${of['message']}`,
  'agent_memory.remembered': (of) => `Remembered ${memories(of)}.`,
  'agent_memory.forgotten': (of) => `Forgot ${memories(of)}.`,
  'platform.opened': (of) => `Tenure ${of['version']} started.`,
  'platform.configuration_reloaded': (of) =>
    `Configuration reloaded: ${list(of['changed'])}.${list(of['needRestart']) && ` After a restart: ${list(of['needRestart'])}.`}`,
  'platform.configuration_rejected': (of) => `The changed configuration was not taken: ${of['message']}`,
  'storage.opened': (of) => `Store opened${of['migrated'] ? `, ${of['migrated']} migrations applied` : ''}.`,
};

export function sentenceOf(event: NodeEvent): string {
  return SENTENCES[event.type]?.(event) ?? generic(event);
}

/** How it is marked; the sentence says the same in words. */
export function toneOf({ type, level, severity }: NodeEvent): Tone {
  if (type === 'pressure.alert_cleared') return 'good';
  if (type === 'pressure.level_changed') return LEVEL_TONES[String(level)] ?? 'warning';
  if (severity === 'error' || /fail|leak|reject/.test(type)) return 'bad';
  return severity === 'warning' || type.includes('refused') ? 'warning' : 'plain';
}

const LEVEL_TONES: Readonly<Record<string, Tone>> = { low: 'good', critical: 'bad' };

/** Neighbours that only count the same thing become one: a busy agent remembers hundreds of times a minute. */
export function gathered(events: readonly NodeEvent[]): NodeEvent[] {
  const result: NodeEvent[] = [];
  for (const event of events) {
    const last = result.at(-1);
    if (last?.type === event.type && last['tenant'] === event['tenant'] && typeof event['count'] === 'number') {
      result[result.length - 1] = { ...last, count: Number(last['count']) + event['count'] };
    } else {
      result.push(event);
    }
  }
  return result;
}

/** An alert's message without its date: the time is told beside it, in the reader's own words. */
export function alertWords(message: string): string {
  return message.replace(/, since \d{4}-\d\d-\d\dT[^;]*/, '');
}

const RANKS = ['low', 'moderate', 'high', 'critical'];

function isRise(of: Fields): boolean {
  return RANKS.indexOf(String(of['level'])) > RANKS.indexOf(String(of['previousLevel']));
}

function bytes(value: unknown): string {
  return formatBytes(Number(value));
}

function ms(value: unknown): string {
  return formatDuration(Number(value));
}

function list(value: unknown): string {
  return Array.isArray(value) ? value.join(', ') : '';
}

function largest(of: Fields): string {
  const holders = list(of['holders']);
  return holders && ` Largest: ${holders}.`;
}

function memories(of: Fields): string {
  return `${of['count']} ${of['count'] === 1 ? 'memory' : 'memories'} of ${of['tenant']}`;
}

function generic({ type, atMs: _, ...fields }: NodeEvent): string {
  const [room, ...what] = type.split('.');
  const told = Object.entries(fields).flatMap(([key, value]) => tellField(key, value) ?? []);
  return `${capital(words([room, what.join(' ')].filter(Boolean).join(': ')))}${told.length > 0 ? ` (${told.join(', ')})` : ''}.`;
}

function tellField(key: string, value: unknown): string | null {
  const told = tellValue(key, value);
  return told === null ? null : `${words(key.replace(/(?<=.)(Bytes|Ms|Mb)$/, ''))} ${told}`;
}

function tellValue(key: string, value: unknown): string | null {
  if (typeof value === 'string' || Array.isArray(value)) return String(value) === '' ? null : [value].flat().join(', ');
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return null;
  if (/bytes$/i.test(key)) return formatBytes(value);
  if (/(^since|^until|At)Ms$/.test(key)) return formatClock(value);
  if (key.endsWith('Ms')) return formatDuration(value);
  return `${Math.round(value * 100) / 100}${key.endsWith('Mb') ? '\u00a0MB' : ''}`;
}

function words(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
