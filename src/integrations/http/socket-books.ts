/**
 * The bytes of outgoing connections, whoever opened them, and those of them that are free.
 *
 * A connection is charged before it is opened; where the budget has no room, opening waits for it, as for a slow network. Free ones are idle
 * bytes and go first, the one free longest before the others. Closing a socket is at once as far as this process is concerned: its bytes leave
 * the books with its `close` event.
 */
import type { Duplex } from 'node:stream';
import { ClosedError } from '../../base/errors.ts';
import { BudgetExceededError } from '../../budget/budget-errors.ts';
import { HolderBytes, type HolderOptions } from '../../budget/holder-bytes.ts';

export class SocketBooks {
  readonly #bytes: HolderBytes | null = null;
  readonly #name: string;
  readonly #bytesPerSocket: number;
  readonly #waitMs: number;
  readonly #closing = new AbortController();
  readonly #open = new Set<Duplex>();
  /** In the order in which they became free. */
  readonly #free = new Set<Duplex>();
  #opening = 0;
  opened = 0;
  borrows = 0;
  failures = 0;
  /** Openings that found no room in the budget in time. */
  timeouts = 0;
  closedForBudget = 0;

  constructor(options: {
    /** Of the pool, for errors. */
    name: string;
    holder: Pick<HolderOptions, 'budget' | 'name' | 'where' | 'priority'> | null;
    bytesPerSocket: number;
    waitMs: number;
  }) {
    this.#name = options.name;
    this.#bytesPerSocket = options.bytesPerSocket;
    this.#waitMs = options.waitMs;
    if (options.holder === null) return;
    const freeBytes = () => this.#free.size * this.#bytesPerSocket;
    this.#bytes = new HolderBytes({
      ...options.holder,
      ...(options.bytesPerSocket > 0 && { pieceBytes: options.bytesPerSocket }),
      droppableBytes: freeBytes,
      idleBytes: freeBytes,
      drop: ({ targetBytes, signal }) => this.#drop(targetBytes, signal),
    });
  }

  get size(): number {
    return this.#open.size;
  }

  get free(): number {
    return this.#free.size;
  }

  get opening(): number {
    return this.#opening;
  }

  get usedBytes(): number {
    return this.#bytes?.usedBytes ?? 0;
  }

  /** Charges a connection if there is room for it now; never waits. */
  tryCharge(): boolean {
    return !this.#closing.signal.aborted && (this.#bytes === null || this.#bytes.tryTake(this.#bytesPerSocket));
  }

  /** Charges a connection, waiting for room. Rejects with what `Reservation.grow` rejects with, and after close. */
  async charge(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    this.#opening++;
    try {
      await this.#bytes?.take(this.#bytesPerSocket, { timeoutMs: this.#waitMs, signal: this.#closing.signal });
    } catch (error) {
      if (error instanceof BudgetExceededError) this.timeouts++;
      else this.failures++;
      throw error;
    } finally {
      this.#opening--;
    }
  }

  /** What was charged has become `socket`; its end is the end of the charge. */
  add(socket: Duplex): void {
    if (this.#closing.signal.aborted) socket.destroy();
    this.opened++;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#free.delete(socket);
      this.#release();
    });
  }

  /** What was charged has become nothing. */
  failed(): void {
    this.failures++;
    this.#release();
  }

  /** True for a socket of these books. */
  has(socket: Duplex): boolean {
    return this.#open.has(socket);
  }

  /** `socket` carries a request again. */
  taken(socket: Duplex): void {
    this.borrows++;
    this.#free.delete(socket);
  }

  /** `socket` carries none and is kept for the next. */
  freed(socket: Duplex): void {
    if (this.#open.has(socket)) this.#free.add(socket);
  }

  /** Destroys every socket, and leaves the budget when they are closed. */
  async close(): Promise<void> {
    this.#closing.abort(new ClosedError(`The pool ${this.#name}`));
    const closed = [...this.#open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#open) socket.destroy();
    await Promise.all(closed);
    this.#bytes?.close();
  }

  #release(): void {
    this.#bytes?.release(this.#bytesPerSocket);
    this.#bytes?.settle();
  }

  async #drop(targetBytes: number, signal: AbortSignal): Promise<void> {
    const closed: Promise<unknown>[] = [];
    for (const socket of this.#free) {
      if (closed.length * this.#bytesPerSocket >= targetBytes) break;
      this.#free.delete(socket);
      this.closedForBudget++;
      closed.push(new Promise((resolve) => socket.once('close', resolve)));
      socket.destroy();
    }
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await Promise.race([Promise.all(closed), aborted]);
  }
}
