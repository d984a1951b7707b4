/**
 * Invariants: statements that are true unless Tenure itself is wrong.
 *
 * A broken one throws `InvariantError`, which no code of ours catches: it stops the operation and reaches the person who
 * can mend it. Bad input never ends here; it gets a `TenureError` with a code.
 */

/** Tenure's own books or structure are wrong. Never caught, never expected. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** First in a catch that survives whatever code of somebody else may throw: lets a broken invariant through. */
export function throwIfBroken(error: unknown): void {
  if (error instanceof InvariantError) throw error;
}

/** Throws `InvariantError` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
