/**
 * Whose memory a command works on. The command line alone has a scope of its own, the help agent's: `{ tenant: "default", agent:
 * "help" }`; each flag replaces its part, and an empty agent leaves it out. No other part may be empty: a script whose variable is not set would
 * reach into everybody's memory.
 */
import { HELP_SCOPE } from '../agents/help/help-agent.ts';
import { requireScope, type Scope } from '../storage/scope.ts';

export interface ScopeFlags {
  readonly tenant?: string;
  readonly agent?: string;
  readonly user?: string;
  readonly session?: string;
}

/** The scope of these flags. @throws ScopeInvalidError, ScopeRequiredError */
export function scopeOf({ tenant, agent, user, session }: ScopeFlags): Scope {
  const parts = {
    tenant: tenant ?? HELP_SCOPE.tenant,
    agent: (agent ?? HELP_SCOPE.agent) || undefined,
    user,
    session,
  };
  return requireScope(parts);
}
