/** What may be remembered: checks the caller's words and makes them a memory with its terms. */
import { InvalidArgumentError, messageOf, TenureError } from '../base/errors.ts';
import { uuidV7 } from '../base/uuid.ts';
import type { Json, NewMemory } from '../storage/memory-store.ts';
import { requireScope, type Scope } from '../storage/scope.ts';
import { analyze, countTerms } from './analyze.ts';

/** What can be said about a memory besides its text. */
export interface RememberOptions {
  /** Whose memory it is; a session places it next to its neighbours. */
  readonly scope: Scope;
  /** Up to 32 labels of up to 128 characters. */
  readonly tags?: readonly string[] | undefined;
  /** JSON object of up to 16 KB, kept as it is. */
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  /** 0 to 1; 0.5 by default. Above 0.8 it is kept when others are pruned. */
  readonly importance?: number | undefined;
  /** When what it tells happened, in milliseconds since the epoch; its date can then be searched for. Now by default. */
  readonly atMs?: number | undefined;
  readonly validFromMs?: number | undefined;
  /** End of validity, exclusive. */
  readonly validToMs?: number | undefined;
  /** Time to live from now, in milliseconds; recall stops finding it after that. */
  readonly ttlMs?: number | undefined;
  readonly pinned?: boolean | undefined;
  /** Where it came from, such as a file or a conversation. */
  readonly source?: string | undefined;
  /** Who said it. */
  readonly speaker?: string | undefined;
}

/** One memory of a batch: its text and all that can be said about it. */
export interface RememberItem extends RememberOptions {
  readonly text: string;
}

/** Longest text of one memory, in UTF-16 units. Longer ones are documents: ingest cuts them into passages. */
export const TEXT_LIMIT = 32_768;
/** Most labels of one memory. */
export const TAGS_LIMIT = 32;
/** Most memories of one batch, which is one transaction. */
export const BATCH_LIMIT = 2_000;
const LABEL_LIMIT = 128;
const NAME_LIMIT = 1024;
const METADATA_LIMIT = 16_384;
const METADATA_DEPTH = 64;

const FIELDS: ReadonlySet<string> = new Set([
  ...['text', 'scope', 'tags', 'metadata', 'importance', 'atMs', 'validFromMs', 'validToMs', 'ttlMs'],
  ...['pinned', 'source', 'speaker'],
]);

/** A text or its metadata is larger than a memory may be. Code `MEMORY_TOO_LARGE`. */
export class MemoryTooLargeError extends TenureError {
  override readonly name = 'MemoryTooLargeError';
  constructor(what: string, size: { length: number; limit: number }) {
    super(
      'MEMORY_TOO_LARGE',
      `${what} has ${size.length} characters; one memory holds at most ${size.limit}. Ingest it as a document instead.`,
      {
        details: { what, ...size },
      },
    );
  }
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');

/**
 * Makes a new memory.
 *
 * @throws ScopeRequiredError, ScopeInvalidError, InvalidArgumentError, MemoryTooLargeError
 */
export function newMemory(item: RememberItem, nowMs: number): NewMemory {
  requireFields(item);
  const text = requireText(item.text);
  const memory = {
    id: uuidV7(nowMs),
    scope: requireScope(item.scope),
    text,
    tags: requireTags(item.tags ?? []),
    metadata: requireMetadata(item.metadata ?? {}),
    importance: requireShare(item.importance ?? 0.5, 'importance'),
    createdAtMs: nowMs,
    atMs: optionalTime(item.atMs, 'atMs') ?? nowMs,
    validFromMs: optionalTime(item.validFromMs, 'validFromMs'),
    validToMs: optionalTime(item.validToMs, 'validToMs'),
    expiresAtMs: expiry(item.ttlMs, nowMs),
    pinned: requireFlag(item.pinned ?? false, 'pinned'),
    source: optionalName(item.source, 'source'),
    speaker: optionalName(item.speaker, 'speaker'),
    model: null,
  };
  if (memory.validFromMs !== null && memory.validToMs !== null && memory.validFromMs >= memory.validToMs) {
    throw new InvalidArgumentError('validToMs', `must be later than validFromMs (${memory.validFromMs}).`);
  }
  const searched = [item.atMs === undefined ? '' : dateWords(memory.atMs), memory.speaker ?? '', text];
  return { memory, terms: countTerms(analyze(searched.join(' '))) };
}

/** Day, month by name, and year in UTC, as people write and ask for dates. */
function dateWords(atMs: number): string {
  const date = new Date(atMs);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
}

/** A misspelt option would be lost without a word: `ttl` for `ttlMs` would keep for ever. */
function requireFields(item: RememberItem): void {
  if (typeof item !== 'object' || item === null) {
    throw new InvalidArgumentError('memory', 'must be an object with text and scope.');
  }
  const unknown = Object.keys(item).find((field) => !FIELDS.has(field));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(unknown, `is no option of remember; there are ${[...FIELDS].join(', ')}.`);
  }
}

function requireFlag(flag: boolean, argument: string): boolean {
  if (typeof flag !== 'boolean') throw new InvalidArgumentError(argument, 'must be true or false.');
  return flag;
}

function requireText(text: unknown): string {
  if (typeof text !== 'string' || text.trim() === '')
    throw new InvalidArgumentError('text', 'must be a string with content.');
  if (text.length > TEXT_LIMIT) throw new MemoryTooLargeError('text', { length: text.length, limit: TEXT_LIMIT });
  return storable(text);
}

/** Lone surrogates and NUL, which databases cut off or refuse, become U+FFFD. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Checked labels without repeats. */
export function requireTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags) || tags.length > TAGS_LIMIT) {
    throw new InvalidArgumentError('tags', `must be a list of at most ${TAGS_LIMIT} labels.`);
  }
  for (const tag of tags) {
    if (typeof tag !== 'string' || tag === '' || tag.length > LABEL_LIMIT) {
      throw new InvalidArgumentError('tags', `must be strings of 1 to ${LABEL_LIMIT} characters.`);
    }
  }
  return [...new Set(tags.map(storable))];
}

function requireMetadata(metadata: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new InvalidArgumentError('metadata', 'must be a JSON object.');
  }
  let json: string | undefined;
  try {
    json = JSON.stringify(metadata);
  } catch (error) {
    throw new InvalidArgumentError('metadata', `cannot be written as JSON: ${messageOf(error)}`);
  }
  if (json === undefined || !json.startsWith('{')) throw new InvalidArgumentError('metadata', 'must be a JSON object.');
  if (json.length > METADATA_LIMIT) {
    throw new MemoryTooLargeError('metadata', { length: json.length, limit: METADATA_LIMIT });
  }
  const copy = JSON.parse(json) as Record<string, Json>;
  if (depthOf(copy) > METADATA_DEPTH) {
    throw new InvalidArgumentError('metadata', `is nested deeper than ${METADATA_DEPTH} levels.`);
  }
  return copy;
}

/** Levels of nesting; stops counting one past the limit. */
function depthOf(value: Json, depth = 1): number {
  if (typeof value !== 'object' || value === null || depth > METADATA_DEPTH) return depth;
  return Math.max(depth, ...Object.values(value).map((child) => depthOf(child, depth + 1)));
}

export function requireString(value: string, argument: string): string {
  if (typeof value !== 'string') throw new InvalidArgumentError(argument, 'must be a string.');
  return value;
}

export function requireShare(share: number, argument: string): number {
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw new InvalidArgumentError(argument, `must lie between 0 and 1; got ${String(share)}.`);
  }
  return share;
}

export function optionalTime(timeMs: number | undefined, argument: string): number | null {
  if (timeMs === undefined) return null;
  if (typeof timeMs !== 'number' || !(Math.abs(timeMs) <= 8.64e15)) {
    throw new InvalidArgumentError(argument, `must be a time in milliseconds since the epoch; got ${String(timeMs)}.`);
  }
  return Math.round(timeMs);
}

function expiry(ttlMs: number | undefined, nowMs: number): number | null {
  if (ttlMs === undefined) return null;
  if (typeof ttlMs !== 'number' || !(ttlMs > 0)) {
    throw new InvalidArgumentError('ttlMs', `must be a number of milliseconds above 0; got ${String(ttlMs)}.`);
  }
  return optionalTime(nowMs + ttlMs, 'ttlMs');
}

function optionalName(name: string | undefined, argument: string): string | null {
  return name === undefined ? null : requireName(name, argument);
}

/** A name as it is kept, so that what was remembered under it is found by it. */
export function requireName(name: string, argument: string): string {
  if (typeof name !== 'string' || name === '' || name.length > NAME_LIMIT) {
    throw new InvalidArgumentError(argument, `must be a string of 1 to ${NAME_LIMIT} characters.`);
  }
  return storable(name);
}
