/** How a budget says no. Each message names the budget and what can be done. */
import { formatBytes } from '../base/bytes.ts';
import { TenureError } from '../base/errors.ts';

/** Somebody who holds bytes, by path. */
export interface Holding {
  readonly path: string;
  readonly bytes: number;
}

/** What a refusal knows. */
export interface Refusal {
  /** Path of the account without room. */
  readonly path: string;
  /** Path of the consumer that asked. */
  readonly consumer: string;
  readonly requestBytes: number;
  readonly limitBytes: number;
  readonly reservedBytes: number;
  /** `too_large`: under the present limit and minimums it could never fit; `timeout`: nothing came free in time. */
  readonly reason: 'too_large' | 'timeout';
  readonly waitedMs: number;
  /** The largest under that account, largest first. */
  readonly holders: readonly Holding[];
}

/** There was no room, and none came free in time. Code `BUDGET_EXCEEDED`. */
export class BudgetExceededError extends TenureError implements Refusal {
  override readonly name = 'BudgetExceededError';
  readonly path: string;
  readonly consumer: string;
  readonly requestBytes: number;
  readonly limitBytes: number;
  readonly reservedBytes: number;
  readonly reason: Refusal['reason'];
  readonly waitedMs: number;
  readonly holders: readonly Holding[];

  constructor(refusal: Refusal) {
    const { path, consumer, requestBytes, limitBytes, reservedBytes, reason, waitedMs } = refusal;
    const holders = refusal.holders.map((holding) => `${holding.path} ${formatBytes(holding.bytes)}`);
    const why =
      reason === 'timeout' ? `none came free in ${Math.round(waitedMs)} ms` : 'more than can ever be free here';
    super(
      'BUDGET_EXCEEDED',
      `${path}: no room for ${formatBytes(requestBytes)} more (${consumer}): ${why}; ${formatBytes(reservedBytes)} of ` +
        `${formatBytes(limitBytes)} reserved, largest: ${holders.join(', ') || 'none'}. Ask for less, raise the limit, or free something.`,
      { details: { path, consumer, requestBytes, limitBytes, reservedBytes, reason, waitedMs, holders } },
    );
    this.path = path;
    this.consumer = consumer;
    this.requestBytes = requestBytes;
    this.limitBytes = limitBytes;
    this.reservedBytes = reservedBytes;
    this.reason = reason;
    this.waitedMs = waitedMs;
    this.holders = refusal.holders;
  }
}

/** The minimums under a budget would exceed its limit. Code `BUDGET_MINIMUMS`. */
export class MinimumsExceedLimitError extends TenureError {
  override readonly name = 'MinimumsExceedLimitError';
  constructor(options: { path: string; minimumsBytes: number; limitBytes: number }) {
    const { path, minimumsBytes, limitBytes } = options;
    super(
      'BUDGET_MINIMUMS',
      `${path}: minimums of ${formatBytes(minimumsBytes)} do not fit a limit of ${formatBytes(limitBytes)}. Lower a minimum, or raise the limit.`,
      { details: { path, minimumsBytes, limitBytes } },
    );
  }
}

/** Two things of one name in one budget. Code `BUDGET_NAME_TAKEN`. */
export class NameTakenError extends TenureError {
  override readonly name = 'NameTakenError';
  constructor(path: string) {
    super('BUDGET_NAME_TAKEN', `${path} exists already; close it first or choose another name.`, { details: { path } });
  }
}

/** A consumer asked for bytes while it was being asked to give some. Code `BUDGET_REENTRY`. */
export class ReclaimReentryError extends TenureError {
  override readonly name = 'ReclaimReentryError';
  constructor(path: string) {
    super(
      'BUDGET_REENTRY',
      `${path} is being asked to give bytes back and cannot grow; finish reclaim() first, then grow.`,
      {
        details: { path },
      },
    );
  }
}
