/**
 * The mandatory address of agent memory: tenant, agent, user, session.
 *
 * The parts are kept apart everywhere — as fields, as columns, as bound parameters — and never joined with a delimiter, so
 * no id can be written that reaches into another's memories and `user1` is never a prefix of `user10`. Tenant, agent and
 * user together name a *partition*: exactly one, not a subtree. A part left out means "shared at this level", which is a
 * partition of its own, not a wildcard. A session is a place inside a partition; leaving it out of a question means all
 * sessions.
 */
import { TenureError } from '../base/errors.ts';

/** The mandatory address of agent memory. Tenant, agent and user name a partition; a session groups within it. */
export interface Scope {
  /** The customer or installation; never empty. */
  readonly tenant: string;
  readonly agent?: string | undefined;
  readonly user?: string | undefined;
  readonly session?: string | undefined;
}

/** Longest part, in UTF-16 units. */
export const SCOPE_PART_LIMIT = 256;

/** No scope, or one without tenant. Code `SCOPE_REQUIRED`. */
export class ScopeRequiredError extends TenureError {
  override readonly name = 'ScopeRequiredError';
  constructor() {
    super(
      'SCOPE_REQUIRED',
      'Agent memory needs a scope with at least a tenant, such as { tenant: "acme", user: "ann" }.',
    );
  }
}

/** A scope with a part that cannot be one. Code `SCOPE_INVALID`. */
export class ScopeInvalidError extends TenureError {
  override readonly name = 'ScopeInvalidError';
  constructor(part: string, problem: string) {
    super('SCOPE_INVALID', `scope.${part} ${problem}`, { details: { part } });
  }
}

const PARTS = ['tenant', 'agent', 'user', 'session'] as const;

/**
 * Returns a clean copy of `scope` with only its four parts.
 *
 * @throws ScopeRequiredError without a tenant.
 * @throws ScopeInvalidError when a part is no string, empty, too long, or not well-formed Unicode (such text would
 *   collide with another id once stored), or when there is a field that is no part: a misspelt one would widen the address.
 */
export function requireScope(scope: Scope | undefined | null): Scope {
  if (scope === undefined || scope === null || typeof scope !== 'object') throw new ScopeRequiredError();
  for (const field of Object.keys(scope)) {
    if (!(PARTS as readonly string[]).includes(field)) {
      throw new ScopeInvalidError(field, `is not a part of a scope; the parts are ${PARTS.join(', ')}.`);
    }
  }
  if (scope.tenant === undefined || scope.tenant === null) throw new ScopeRequiredError();
  const clean: { -readonly [part in keyof Scope]: Scope[part] } = { tenant: scope.tenant };
  for (const part of PARTS) {
    const value: unknown = scope[part];
    if (value === undefined) continue;
    if (typeof value !== 'string' || value === '') throw new ScopeInvalidError(part, 'must be a non-empty string.');
    if (value.length > SCOPE_PART_LIMIT) {
      throw new ScopeInvalidError(part, `has ${value.length} characters; at most ${SCOPE_PART_LIMIT} are allowed.`);
    }
    if (!value.isWellFormed() || value.includes('\0')) {
      throw new ScopeInvalidError(part, 'must be well-formed Unicode without NUL characters.');
    }
    clean[part] = value;
  }
  return clean;
}

/** True when both name the same partition: tenant, agent and user alike. */
export function samePartition(one: Scope, other: Scope): boolean {
  return one.tenant === other.tenant && one.agent === other.agent && one.user === other.user;
}
