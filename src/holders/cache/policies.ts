/** The policies by name. */
import { InvalidArgumentError } from '../../base/errors.ts';
import { HitDensity } from './policies/hit-density.ts';
import { Lru } from './policies/lru.ts';
import { S3Fifo } from './policies/s3-fifo.ts';
import { Sieve } from './policies/sieve.ts';
import { WTinyLfu } from './policies/w-tinylfu.ts';
import type { PolicyFactory } from './policy.ts';

const POLICIES = {
  lru: () => new Lru(),
  sieve: () => new Sieve(),
  's3-fifo': () => new S3Fifo(),
  'hit-density': (options) => new HitDensity(options),
  'w-tinylfu': (options) => new WTinyLfu(options),
} as const satisfies Record<string, PolicyFactory>;

/**
 * Bytes an entry takes beside its key and value: map, slot arrays and what the policy keeps, at 100,000 entries as measured by the bench
 * `cache-memory`.
 */
export const OVERHEAD_BYTES: Readonly<Record<PolicyName, number>> = {
  lru: 80,
  sieve: 80,
  's3-fifo': 120,
  'w-tinylfu': 100,
  'hit-density': 90,
};

/** For a policy that is not ours. */
export const UNKNOWN_OVERHEAD_BYTES = 120;

/** Who leaves a cache first, by name. */
export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

/** What a cache uses unless told otherwise. */
export const DEFAULT_POLICY: PolicyName = 'hit-density';

/**
 * The factory behind a name.
 *
 * @throws InvalidArgumentError for a name that is none.
 */
export function policyNamed(name: PolicyName): PolicyFactory {
  if (typeof name === 'string' && Object.hasOwn(POLICIES, name)) return POLICIES[name];
  throw new InvalidArgumentError('policy', `must be one of ${POLICY_NAMES.join(', ')}; got ${String(name)}.`);
}
