/**
 * What is wrong with a configuration, all of it at once.
 *
 * A person who edits a file wants every mistake in one go, each with its place, its key, and what should stand there.
 */
import { TenureError } from '../../base/errors.ts';

/** Where a value was given. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'code' };

export interface ConfigurationProblem {
  /** Path of the key in `tenure.yml`; empty when the file as a whole is meant. */
  readonly key: string;
  readonly origin: Origin;
  /** One sentence or two: what is wrong and what is expected. */
  readonly message: string;
}

/** More than a person mends in one go; a file that is no configuration has a problem in every line. */
const LISTED_LIMIT = 20;

/** The configuration cannot be used. Code `CONFIG_INVALID`. */
export class ConfigurationError extends TenureError {
  override readonly name = 'ConfigurationError';
  /** The first 20 that were found. */
  readonly problems: readonly ConfigurationProblem[];
  /** How many there are besides those. */
  readonly more: number;

  constructor(problems: readonly ConfigurationProblem[]) {
    const listed = problems.slice(0, LISTED_LIMIT);
    const more = problems.length - listed.length;
    const lines = [...listed.map(describeProblem), ...(more > 0 ? [`… and ${more} more`] : [])];
    const count = problems.length === 1 ? 'One problem' : `${problems.length} problems`;
    super('CONFIG_INVALID', `${count} in the configuration:\n${lines.map((line) => `  ${line}`).join('\n')}`, {
      details: { problems: lines },
    });
    this.problems = listed;
    this.more = more;
  }
}

/** The configuration file cannot be read. Code `CONFIG_UNREADABLE`. */
export class ConfigurationUnreadableError extends TenureError {
  override readonly name = 'ConfigurationUnreadableError';
  constructor(file: string, reason: string, cause?: unknown) {
    super('CONFIG_UNREADABLE', `${file} cannot be read: ${reason}. Check the path and its permissions.`, {
      details: { file, reason },
      cause,
    });
  }
}

/** `tenure.yml:4:12 memory_management.pools.llm: …`, with the place as editors and terminals understand it. */
export function describeProblem({ key, origin, message }: ConfigurationProblem): string {
  const place = describeOrigin(origin);
  return key === '' ? `${place}: ${message}` : `${place} ${key}: ${message}`;
}

/** The place in words: a file position, a variable's name, `default` or `code`. */
export function describeOrigin(origin: Origin): string {
  if (origin.kind === 'file') return `${origin.file}:${origin.line}:${origin.column}`;
  return origin.kind === 'environment' ? origin.name : origin.kind;
}
