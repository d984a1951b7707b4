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

/** What a face knows of a request before its body. */
export interface Arrival<R> {
  readonly request: R;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly contentLength: string | undefined;
  /** Where the user has not said. */
  kind(): string;
  /** Aborts when the client goes away; asked for only when there is something to wait for. */
  signal(): AbortSignal;
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
    const { request, method, path, contentLength } = arrival;
    if (method === 'OPTIONS' || this.#isExempt(request, path)) return null;
    const { admission, kind: kindOf, tenant, priority, waitMs = DEFAULT_WAIT_MS } = this.#options;
    const kind = kindOf === undefined ? arrival.kind() : kindOf(request);
    const bodyBytes = bodyBytesOf(contentLength, this.bodyFactor);
    const bytes = Math.min(Math.ceil(this.#costBytes(request, kind)) + bodyBytes, Number.MAX_SAFE_INTEGER);
    const options: WaitOptions = {
      kind,
      tenant: tenant?.(request),
      priority: typeof priority === 'function' ? priority(request) : priority,
      bodyBytes,
      timeoutMs: waitMs,
      get signal() {
        return arrival.signal();
      },
    };
    return admission.admitOrRefuse(bytes, options);
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
