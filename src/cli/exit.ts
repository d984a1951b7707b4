/**
 * How a command ends: exit codes and the error line.
 *
 * 0 done · 1 it did not work · 2 it was asked wrongly · 3 `doctor` found something that must be mended · 130, 143 interrupted.
 * An error Tenure expects is one line, `error CODE: what happened and what to do`, or with `--json` one object on standard
 * error. Anything else is a defect and ends the process with its stack, so that it can be reported.
 */
import { InvalidArgumentError, TenureError } from '../base/errors.ts';
import { ScopeInvalidError, ScopeRequiredError } from '../storage/scope.ts';
import type { Terminal } from './terminal.ts';

export const EXIT = { done: 0, failed: 1, usage: 2, unhealthy: 3 } as const;

/** The command was asked wrongly. Code `USAGE`. */
export class UsageError extends TenureError {
  override readonly name = 'UsageError';
  constructor(message: string) {
    super('USAGE', message);
  }
}

/** The user stopped the command with a signal. Code `INTERRUPTED`. */
export class InterruptedError extends TenureError {
  override readonly name = 'InterruptedError';
  /** As shells report it: 128 and the number of the signal. */
  readonly exitCode: number;
  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super('INTERRUPTED', `Stopped by ${signal}.`, { details: { signal } });
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** Tells of `error` and returns the exit code; throws what is no error of ours or of the system. */
export function reportFailure(error: unknown, terminal: Terminal): number {
  const failure = failureOf(error);
  if (!failure) throw error;
  if (terminal.json) terminal.note(JSON.stringify({ error: failure }));
  else terminal.note(`error ${failure.code}: ${failure.message}`);
  if (error instanceof InterruptedError) return error.exitCode;
  return ASKED_WRONGLY.some((kind) => error instanceof kind) ? EXIT.usage : EXIT.failed;
}

/** What only other arguments could mend. */
const ASKED_WRONGLY = [UsageError, InvalidArgumentError, ScopeInvalidError, ScopeRequiredError];

function failureOf(error: unknown): { code: string; message: string; details?: unknown } | undefined {
  if (error instanceof TenureError) return { code: error.code, message: error.message, details: error.details };
  const isSystemError = error instanceof Error && 'syscall' in error && 'code' in error;
  return isSystemError ? { code: String(error.code), message: error.message } : undefined;
}
