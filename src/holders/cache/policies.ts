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
