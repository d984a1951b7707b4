/**
 * Invariants: statements that are true unless Tenure itself is wrong.
 *
 * A broken one throws `InvariantError`, which no code of ours catches: it stops the operation and reaches the person who
 * can mend it. Bad input never ends here; it gets a `TenureError` with a code.
 */

/** Tenure's own books or structure are wrong. Never caught, never expected. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';

  /** Throws `error` on if it is one: for those who have to live with whatever foreign code throws. */
  static passOn(error: unknown): void {
    if (error instanceof InvariantError) throw error;
  }
}

/** Throws `InvariantError` unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
