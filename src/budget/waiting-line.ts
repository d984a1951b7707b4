/**
 * Requests that wait for one account, oldest first.
 *
 * A doubly linked list through the requests themselves: joining at the end and leaving from anywhere cost the same
 * with one request and with 10,000. A request that comes from another line is older than the last here and walks back
 * to the place of its age.
 */
import { invariant } from '../base/assert.ts';

/** What a waiting request wants, and whom to tell. */
export interface RequestOptions<Owner> {
  readonly owner: Owner;
  readonly bytes: number;
  /** 0 to 10, the lower the more important. */
  readonly priority: number;
  /** Number of arrival, counted over all lines of one tree. */
  readonly order: number;
  /** The bytes are in the books. */
  readonly granted: () => void;
  /** The request has left its line without its bytes. */
  readonly refused: (reason: unknown) => void;
}

/** A `grow` that could not be granted at once. */
export class Request<Owner> {
  readonly owner: Owner;
  readonly bytes: number;
  readonly priority: number;
  readonly order: number;
  readonly granted: () => void;
  readonly refused: (reason: unknown) => void;
  /** Where it stands. Written by `WaitingLine` alone, as are its neighbours. */
  line: WaitingLine<Owner> | null = null;
  previous: Request<Owner> | null = null;
  next: Request<Owner> | null = null;

  constructor(options: RequestOptions<Owner>) {
    this.owner = options.owner;
    this.bytes = options.bytes;
    this.priority = options.priority;
    this.order = options.order;
    this.granted = options.granted;
    this.refused = options.refused;
  }
}

export class WaitingLine<Owner> {
  #tail: Request<Owner> | null = null;
  /** The oldest. A field, not a getter: `tryGrow` reads it on every account of its path. */
  head: Request<Owner> | null = null;
  /** Sum of what those in the line ask for. */
  bytes = 0;
  readonly #countByPriority = new Uint32Array(11);
  /** True when somebody who came before `order` stands here. */
  hasOlderThan(order: number): boolean {
    return this.head !== null && this.head.order < order;
  }

  /** Puts `request` at the place of its age. */
  join(request: Request<Owner>): void {
    invariant(request.line === null, 'A request stands in two lines.');
    let previous = this.#tail;
    while (previous !== null && previous.order > request.order) previous = previous.previous;
    const next = previous === null ? this.head : previous.next;
    request.line = this;
    request.previous = previous;
    request.next = next;
    if (previous === null) this.head = request;
    else previous.next = request;
    if (next === null) this.#tail = request;
    else next.previous = request;
    this.bytes += request.bytes;
    this.#countByPriority[request.priority]!++;
  }

  /** Takes `request` out. */
  leave(request: Request<Owner>): void {
    invariant(request.line === this, 'A request leaves a line it does not stand in.');
    if (request.previous === null) this.head = request.next;
    else request.previous.next = request.next;
    if (request.next === null) this.#tail = request.previous;
    else request.next.previous = request.previous;
    request.line = null;
    request.previous = null;
    request.next = null;
    this.bytes -= request.bytes;
    this.#countByPriority[request.priority]!--;
  }

  /** The lowest priority number of those who wait, which is that of the most important; `Infinity` when nobody does. */
  get leastPriority(): number {
    const priority = this.#countByPriority.findIndex((count) => count > 0);
    return priority < 0 ? Number.POSITIVE_INFINITY : priority;
  }
}
