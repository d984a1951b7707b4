/**
 * Errors a user can act on.
 *
 * Every operating error is a class with a stable `code`, the numbers of the case as fields, and a message that says
 * what happened and what to do. A broken invariant is not an operating error: see `assert.ts`.
 */

/** Fields an error reports besides its message; JSON-safe, never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[] | undefined>>;

/** Base of every operating error. `code` is stable across releases; `details` is safe to log and to send. */
export class TenureError extends Error {
  override readonly name: string = 'TenureError';
  readonly code: string;
  readonly details: ErrorDetails;

  constructor(code: string, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Used after close. Code `CLOSED`. */
export class ClosedError extends TenureError {
  override readonly name = 'ClosedError';
  constructor(what: string) {
    super('CLOSED', `${what} is closed; open a new one instead of keeping a reference past close().`, {
      details: { what },
    });
  }
}

/** An argument outside its documented range or of the wrong type. Code `INVALID_ARGUMENT`. */
export class InvalidArgumentError extends TenureError {
  override readonly name = 'InvalidArgumentError';
  constructor(argument: string, problem: string, details: ErrorDetails = {}) {
    super('INVALID_ARGUMENT', `${argument}: ${problem}`, { details: { argument, ...details } });
  }
}

/** Something waited longer than it was allowed to. Code `TIMEOUT`. */
export class TimeoutError extends TenureError {
  override readonly name = 'TimeoutError';
  constructor(what: string, timeoutMs: number) {
    super('TIMEOUT', `${what} did not finish within ${timeoutMs} ms.`, { details: { what, timeoutMs } });
  }
}

/** The text of anything thrown, for logs and events. Never throws, whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return textOf(() => (thrown instanceof Error ? thrown.message : thrown));
}

/** A value as text, where the value is somebody else's and may refuse even that. */
export function textOf(value: () => unknown): string {
  try {
    return String(value());
  } catch {
    return 'something that cannot be shown';
  }
}
