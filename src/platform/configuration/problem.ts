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

/** The configuration cannot be used. Code `CONFIG_INVALID`. `problems` has every one that was found. */
export class ConfigurationError extends TenureError {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[]) {
    const lines = problems.map(describeProblem);
    const count = lines.length === 1 ? 'One problem' : `${lines.length} problems`;
    super('CONFIG_INVALID', `${count} in the configuration:\n${lines.map((line) => `  ${line}`).join('\n')}`, {
      details: { problems: lines },
    });
    this.problems = problems;
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
