/** What a cache is made of, checked. */
import { MIB, requireBytes } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { Budget } from '../../budget/budget.ts';
import type { Residence } from '../../budget/consumer.ts';
import type { QuotaBook } from '../../budget/quota.ts';
import type { PolicyName } from './policies.ts';
import type { PolicyFactory } from './policy.ts';

/**
 * Why an entry left: room was needed (`capacity`), its time was over (`expired`), the budget asked (`pressure`), its owner was at its quota
 * (`quota`), it was deleted or the cache cleared or closed (`deleted`), or another value took its place (`replaced`).
 */
export type EvictionCause = 'capacity' | 'expired' | 'pressure' | 'quota' | 'deleted' | 'replaced';

export const EVICTION_CAUSES: readonly EvictionCause[] = [
  'capacity',
  'expired',
  'pressure',
  'quota',
  'deleted',
  'replaced',
];

/**
 * Why a value was not kept: it is larger than the bound (`too_large`), the budget had no room and this cache nothing to give for it
 * (`budget`), its owner's quota (`quota`), its size could not be told (`size`), or the policy thought it worth less than what is there
 * (`policy`).
 */
export type RefusalCause = 'too_large' | 'budget' | 'quota' | 'size' | 'policy';

export const REFUSAL_CAUSES: readonly RefusalCause[] = ['too_large', 'budget', 'quota', 'size', 'policy'];

/** The bounds of a cache; they can be changed while it runs (`Cache.resize`). */
export interface CacheBounds {
  /** Most bytes of all entries together, their keys and our own structures included. No bound but the budget's by default. */
  readonly maxBytes?: number | undefined;
  /** Most entries; unbounded by default. */
  readonly maxEntries?: number | undefined;
  /** How long an entry lives, in milliseconds, above 0; for ever by default. */
  readonly ttlMs?: number | undefined;
}

/** What a cache is made of. At least one of `maxBytes`, `maxEntries` and `budget` bounds it. */
export interface CacheOptions<K, V> extends CacheBounds {
  /** Its name in the budget, in events and in figures; unique in its budget. */
  readonly name: string;
  /** Where its bytes are counted. Without one it has a budget of its own. */
  readonly budget?: Budget;
  /** `fixed` (default): from the last `set`; `sliding`: each `get` starts the time anew. */
  readonly ttl?: 'fixed' | 'sliding';
  /** Who leaves first: a name, or a policy of your own. */
  readonly policy?: PolicyName | PolicyFactory;
  /** 0 to 10: 10 gives first under pressure. 7 by default. */
  readonly priority?: number;
  /** Fair share against its siblings in the budget; 1 by default. */
  readonly weight?: number;
  /** Never asked to fall below this; 0 by default. */
  readonly minBytes?: number;
  /** Where the values live; `heap` by default. */
  readonly where?: Residence;
  /** Bytes of a value with its key; by default what `estimateBytes` says of both. */
  readonly sizeOf?: (value: V, key: K) => number;
  /**
   * Added to each entry for the structures that hold it. What was measured for the policy by default; 0 to bound and count nothing
   * but `sizeOf`.
   */
  readonly overheadBytes?: number;
  /** What a miss costs against those of other caches in the budget: 1 by default. A hit that saves an LLM call is worth more than one that saves a query. */
  readonly missCost?: number;
  /** Limits of owners; entries name theirs in `set`. */
  readonly quotas?: QuotaBook;
  /**
   * Told for every entry that leaves, after the operation that made it leave; may use the cache. What it throws goes to `onError`.
   */
  readonly onEvict?: (key: K, value: V, cause: EvictionCause) => void;
  /** Told what `sizeOf` and `onEvict` throw; by default it is only counted. */
  readonly onError?: (error: unknown, during: 'sizeOf' | 'onEvict') => void;
  readonly clock?: Clock;
  /** Chance, for policies and the hashing of keys; seeded by the process by default. */
  readonly random?: Random;
}

/** Of one entry. */
export interface SetOptions {
  /** How long it lives, in milliseconds, above 0; `Infinity` for ever. The cache's by default. */
  readonly ttlMs?: number | undefined;
  /** Its size, instead of asking `sizeOf`. */
  readonly sizeBytes?: number | undefined;
  /** Whose quota it counts towards. */
  readonly owner?: string | undefined;
}

/** A general cache: 1,000 entries, 50 MB, five minutes. Spread into the options: `new Cache({ name, ...GENERAL_CACHE })`. */
export const GENERAL_CACHE = { maxEntries: 1000, maxBytes: 50 * MIB, ttlMs: 300_000 } as const;

/** A cache of whole responses: 50 entries, five minutes. */
export const RESPONSE_CACHE = { maxEntries: 50, ttlMs: 300_000 } as const;

/** A cache of what retrieval found for a query: 100 entries, three minutes. */
export const RAG_QUERY_CACHE = { maxEntries: 100, ttlMs: 180_000 } as const;

/** A larger entry cannot be counted in the books of slots. */
export const MOST_ENTRY_BYTES = 2 ** 32 - 1;
const MOST_OWNER_LENGTH = 256;
/** V8's maps end a little above. */
export const MOST_ENTRIES = 16_000_000;

/** @throws InvalidArgumentError */
export function requireBounds({ maxBytes, maxEntries, ttlMs }: CacheBounds): void {
  if (maxBytes !== undefined) requireBytes(maxBytes, 'maxBytes');
  if (maxEntries !== undefined && !(Number.isInteger(maxEntries) && maxEntries >= 0 && maxEntries <= MOST_ENTRIES)) {
    throw new InvalidArgumentError(
      'maxEntries',
      `must be a whole number from 0 to ${MOST_ENTRIES}; got ${String(maxEntries)}.`,
    );
  }
  requireTtl(ttlMs);
}

/** @throws InvalidArgumentError */
export function requireTtl(ttlMs: number | undefined): void {
  if (ttlMs === undefined || (typeof ttlMs === 'number' && ttlMs > 0)) return;
  throw new InvalidArgumentError(
    'ttlMs',
    `must be milliseconds above 0; got ${String(ttlMs)}. Leave it out, or say Infinity, for no end.`,
  );
}

/** @throws InvalidArgumentError */
export function requireSize(sizeBytes: number | undefined): void {
  if (sizeBytes === undefined || (typeof sizeBytes === 'number' && sizeBytes >= 0)) return;
  throw new InvalidArgumentError('sizeBytes', `must be bytes, 0 or more; got ${String(sizeBytes)}.`);
}

/** @throws InvalidArgumentError */
export function requireOwner(owner: string | undefined): void {
  if (owner === undefined || (typeof owner === 'string' && owner !== '' && owner.length <= MOST_OWNER_LENGTH)) return;
  throw new InvalidArgumentError('owner', `must be a string of 1 to ${MOST_OWNER_LENGTH} characters.`);
}

/** @throws InvalidArgumentError */
export function requireOptions<K, V>(options: CacheOptions<K, V>): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError('options', 'must be an object with a name and a bound.');
  }
  requireBounds(options);
  const { budget, maxBytes, maxEntries, ttl, missCost, overheadBytes } = options;
  if (budget === undefined && maxBytes === undefined && maxEntries === undefined) {
    throw new InvalidArgumentError(
      'maxBytes',
      'give maxBytes, maxEntries or a budget: a cache without a bound is a leak.',
    );
  }
  if (ttl !== undefined && ttl !== 'fixed' && ttl !== 'sliding') {
    throw new InvalidArgumentError('ttl', `must be "fixed" or "sliding"; got ${String(ttl)}.`);
  }
  if (missCost !== undefined && !(Number.isFinite(missCost) && missCost >= 0)) {
    throw new InvalidArgumentError('missCost', `must be a number, 0 or more; got ${String(missCost)}.`);
  }
  if (overheadBytes !== undefined) requireBytes(overheadBytes, 'overheadBytes');
  for (const name of ['sizeOf', 'onEvict', 'onError'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'function') {
      throw new InvalidArgumentError(name, 'must be a function.');
    }
  }
}
