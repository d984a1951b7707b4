/** How an admission is set up, and what may be said of one piece of work; checked here. */
import { requireBytes } from '../../base/bytes.ts';
import { type Clock, checkedDelay } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { Random } from '../../base/random.ts';
import type { AdmissionEvent } from './admission-events.ts';
import type { AdmissionBudget, PressurePort, QuotaPort } from './admission-ports.ts';
import type { CircuitOptions } from './circuit-breaker.ts';

/** What an `Admission` is made of; only the budget is a must. */
export interface AdmissionOptions {
  /** Where the bytes of tickets are reserved, such as `tenure.budget`. */
  readonly budget: AdmissionBudget;
  /** How the process is, such as `tenure.monitor`. Without it nothing is refused for pressure. */
  readonly pressure?: PressurePort;
  /** What a tenant may hold. Without it a tenant is a name and nothing more. */
  readonly quota?: QuotaPort;
  readonly clock?: Clock;
  readonly events?: EventSink<AdmissionEvent>;
  /** For the spread of retry hints. */
  readonly random?: Random;
  /** Of the consumer in the budget; `admitted requests` by default. Two admissions of one budget need two names. */
  readonly name?: string;
  /** Set aside for tickets, so that there is always room for so much; 0 by default. */
  readonly minBytes?: number;
  /** The most all tickets may hold together; what the budget allows by default. */
  readonly maxBytes?: number;
  /** At level high, work of this priority and above is refused (10 gives first); without it none is. */
  readonly lowPriorityFrom?: number;
  /** When room is not asked for any more, and for how long (at first 500 ms, up to 2,000 by default); false for always asking. */
  readonly circuit?: CircuitOptions | false;
  /** How many may wait at once, 0 to 1,000,000; 1,000 by default. */
  readonly maxWaiting?: number;
  /** What a kind of work is taken to cost before anything is known of it; 65,536 by default. */
  readonly defaultEstimateBytes?: number;
  /** From when on a ticket is told to be held for long, in milliseconds; five minutes by default. */
  readonly heldTooLongMs?: number;
  /**
   * From when on a ticket is taken for lost, in milliseconds; an hour by default, `Infinity` for never. What is dropped without a release is
   * found sooner, by the garbage collector; this finds what somebody still keeps.
   */
  readonly maxHeldMs?: number;
  /** While it returns true everybody is taken, and what would have been refused is counted. Asked only before a refusal. */
  readonly observeOnly?: () => boolean;
}

/** What is said of one piece of work. */
export interface AdmitOptions {
  /** What kind of work it is: its cost is learned by it. A route, not an address. `work` by default. */
  readonly kind?: string | undefined;
  /** Whose quota it counts against. */
  readonly tenant?: string | undefined;
  /** 0 to 10, 10 gives first; 5 by default. 0 is taken under any pressure, if there is room. */
  readonly priority?: number | undefined;
  /** The part of the bytes that is known and not learned, such as the body of a request; 0 by default. */
  readonly bodyBytes?: number | undefined;
}

/** How an `admit` waits. */
export interface WaitOptions extends AdmitOptions {
  /** How long to wait for room, 0 to 2^31 - 1 ms; 1,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_TIMEOUT_MS = 1_000;
export const DEFAULT_KIND = 'work';
export const DEFAULT_PRIORITY = 5;

const DEFAULT_NAME = 'admitted requests';
const DEFAULT_ESTIMATE_BYTES = 64 * 1024;
const DEFAULT_WAITING = 1_000;
const MOST_WAITING = 1_000_000;
const DEFAULT_HELD_TOO_LONG_MS = 5 * 60_000;
const DEFAULT_MAX_HELD_MS = 60 * 60_000;

/** The options with their defaults. @throws InvalidArgumentError for one outside its range. */
export function checkedOptions(options: AdmissionOptions) {
  const { name = DEFAULT_NAME, minBytes = 0, maxBytes = Number.MAX_SAFE_INTEGER } = options;
  const { maxWaiting = DEFAULT_WAITING, defaultEstimateBytes = DEFAULT_ESTIMATE_BYTES } = options;
  const { heldTooLongMs = DEFAULT_HELD_TOO_LONG_MS, maxHeldMs = DEFAULT_MAX_HELD_MS } = options;
  const { lowPriorityFrom = Number.POSITIVE_INFINITY } = options;
  if (typeof options.budget?.register !== 'function')
    throw new InvalidArgumentError('budget', 'must be a Budget, such as tenure.budget.');
  for (const [argument, bytes] of Object.entries({ minBytes, maxBytes, defaultEstimateBytes }))
    requireBytes(bytes, argument);
  checkedDelay(heldTooLongMs, 'heldTooLongMs');
  if (!(maxHeldMs > 0)) throw new InvalidArgumentError('maxHeldMs', `must be above 0; got ${maxHeldMs}.`);
  if (!Number.isInteger(maxWaiting) || maxWaiting < 0 || maxWaiting > MOST_WAITING)
    throw new InvalidArgumentError('maxWaiting', `must be a whole number from 0 to 1,000,000; got ${maxWaiting}.`);
  if (options.lowPriorityFrom !== undefined)
    requirePriority(lowPriorityFrom, { least: 1, argument: 'lowPriorityFrom' });
  return { name, minBytes, maxBytes, maxWaiting, defaultEstimateBytes, heldTooLongMs, maxHeldMs, lowPriorityFrom };
}

/** @throws InvalidArgumentError for anything but a whole number from `least` to 10. */
export function requirePriority(
  priority: number,
  { least = 0, argument = 'priority' }: { least?: number; argument?: string } = {},
): void {
  if (Number.isInteger(priority) && priority >= least && priority <= 10) return;
  throw new InvalidArgumentError(
    argument,
    `must be a whole number from ${least} to 10 (10 gives first); got ${String(priority)}.`,
  );
}
