/**
 * What the faces for Hono, Express and Fastify share: which requests go through admission, and what each is taken to cost.
 *
 *   bytes of a request = its cost + `bodyFactor` × length of its body
 *
 * The cost is a number, what the caller's function says, or what requests of its kind have come to. The body is known from
 * Content-Length before a byte of it is read; one that comes in chunks is counted as it comes (`node-request.ts`).
 *
 * Preflights (OPTIONS) are never refused: a browser would report them as a fault of the page. A caller's estimate that throws or is no size
 * is told, and the learned one is used: a wrong guess about memory is no reason to fail a request.
 */
import { InvalidArgumentError, messageOf, textOf } from '../../base/errors.ts';
import type { Admission } from '../../pressure/admission/admission.ts';
import type { WaitOptions } from '../../pressure/admission/admission-options.ts';
import type { Refusal } from '../../pressure/admission/refusal.ts';
import type { Ticket } from '../../pressure/admission/ticket.ts';

/** How requests are admitted; `R` is a request of the framework. */
export interface AdmitRequestsOptions<R> {
  readonly admission: Admission;
  /**
   * What a request costs besides its body, in bytes: a number, a function, or `learned` from what tickets of its kind were adjusted to.
   * `learned` by default.
   */
  readonly estimate?: number | 'learned' | ((request: R) => number);
  /** Bytes of memory for each byte of body, 0 to 1,000; 3 by default: the bytes, their text, and the values made of it. */
  readonly bodyFactor?: number;
  /** What kind of work a request is; by default its method and route, so far as the framework tells. */
  readonly kind?: (request: R) => string;
  /** Whose quota it counts against; nobody's by default. */
  readonly tenant?: (request: R) => string | undefined;
  /** 0 to 10, 10 gives first; 5 by default. */
  readonly priority?: number | ((request: R) => number | undefined);
  /** Paths that need no ticket: `/health` as it stands, `/health/*` with all below. Or a function. */
  readonly exempt?: readonly string[] | ((request: R) => boolean);
  /** How long a request may wait for room, in milliseconds; 500 by default, 0 for not at all. */
  readonly waitMs?: number;
}

/**
 * A request before its body, as a face knows it, and what it asks of admission. One object for both: this is made for every request.
 */
export abstract class Arrival<R> implements WaitOptions {
  readonly request: R;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly contentLength: string | undefined;
  kind = '';
  tenant: string | undefined = undefined;
  priority: number | undefined = undefined;
  bodyBytes = 0;
  timeoutMs = 0;

  constructor(facts: { request: R; method: string; path: string; contentLength: string | undefined }) {
    this.request = facts.request;
    this.method = facts.method;
    this.path = facts.path;
    this.contentLength = facts.contentLength;
  }

  /** Its kind, where the user has not said. */
  abstract route(): string;

  /** Aborts when the client goes away; read only when there is something to wait for. */
  abstract get signal(): AbortSignal;
}

const DEFAULT_BODY_FACTOR = 3;
const LARGEST_BODY_FACTOR = 1_000;
const DEFAULT_WAIT_MS = 500;

export class RequestGate<R> {
  readonly bodyFactor: number;
  readonly #options: AdmitRequestsOptions<R>;
  readonly #isExempt: (request: R, path: string) => boolean;

  /** @throws InvalidArgumentError for an option outside its range. */
  constructor(options: AdmitRequestsOptions<R>) {
    const { admission, estimate = 'learned', bodyFactor = DEFAULT_BODY_FACTOR, exempt = [] } = options ?? {};
    if (typeof admission?.admitOrRefuse !== 'function')
      throw new InvalidArgumentError('admission', 'must be an Admission; make one with new Admission({ budget }).');
    if (!(typeof bodyFactor === 'number' && bodyFactor >= 0 && bodyFactor <= LARGEST_BODY_FACTOR))
      throw new InvalidArgumentError('bodyFactor', `must lie between 0 and 1,000; got ${String(bodyFactor)}.`);
    if (estimate !== 'learned' && typeof estimate !== 'function' && !isSize(estimate))
      throw new InvalidArgumentError('estimate', `must be bytes, a function, or 'learned'; got ${String(estimate)}.`);
    this.#options = options;
    this.bodyFactor = bodyFactor;
    this.#isExempt = typeof exempt === 'function' ? exempt : pathsExempt(exempt);
  }

  /** A ticket, a refusal, or null for a request that needs no ticket. Rejects with the signal's reason when the client went away. */
  enter(arrival: Arrival<R>): Ticket | Refusal | null | Promise<Ticket | Refusal> {
    const { request, method, path } = arrival;
    if (method === 'OPTIONS' || this.#isExempt(request, path)) return null;
    const { admission, kind, tenant, priority, waitMs = DEFAULT_WAIT_MS } = this.#options;
    arrival.kind = kind === undefined ? arrival.route() : kind(request);
    arrival.bodyBytes = bodyBytesOf(arrival.contentLength, this.bodyFactor);
    arrival.timeoutMs = waitMs;
    if (tenant !== undefined) arrival.tenant = tenant(request);
    if (priority !== undefined) arrival.priority = typeof priority === 'function' ? priority(request) : priority;
    const costBytes = Math.ceil(this.#costBytes(request, arrival.kind));
    return admission.admitOrRefuse(Math.min(costBytes + arrival.bodyBytes, Number.MAX_SAFE_INTEGER), arrival);
  }

  #costBytes(request: R, kind: string): number {
    const { admission, estimate = 'learned' } = this.#options;
    if (typeof estimate === 'number') return estimate;
    if (estimate === 'learned') return admission.estimate(kind);
    let problem: string;
    try {
      const bytes = estimate(request);
      if (isSize(bytes)) {
        admission.noteEstimate(kind, null);
        return bytes;
      }
      problem = `${textOf(() => bytes)} is no size`;
    } catch (error) {
      problem = messageOf(error);
    }
    admission.noteEstimate(kind, problem);
    return admission.estimate(kind);
  }
}

function isSize(bytes: unknown): bytes is number {
  return typeof bytes === 'number' && bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER;
}

function bodyBytesOf(contentLength: string | undefined, factor: number): number {
  if (contentLength === undefined) return 0;
  const bytes = Number(contentLength);
  return bytes > 0 ? Math.min(Math.ceil(bytes * factor), Number.MAX_SAFE_INTEGER) : 0;
}

function pathsExempt(paths: readonly string[]): (request: unknown, path: string) => boolean {
  if (!Array.isArray(paths) || paths.some((path) => typeof path !== 'string' || !path.startsWith('/')))
    throw new InvalidArgumentError('exempt', "must be a function, or paths such as '/health' and '/health/*'.");
  const exact = new Set(paths.filter((path) => !path.endsWith('/*')));
  const below = paths.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1));
  return (_request, path) => exact.has(path) || below.some((prefix) => path.startsWith(prefix));
}
