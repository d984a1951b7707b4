/**
 * The bytes of a pool's objects in the budget: charged before an object is made, given back when it is destroyed.
 *
 * Idle objects above `min` are worth nothing to anybody and are told as idle. Those within `min` are offered only at `critical`. What a pool gives are
 * whole objects, and destroying takes time: a reclaim is answered when they are gone, or when its time is over. Until then nothing new is
 * made, so that what comes free is not used up on the way.
 */
import { nextTurn } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { Level } from '../../base/levels.ts';
import type { ReclaimRequest } from '../../budget/consumer.ts';
import { HolderBytes } from '../../budget/holder-bytes.ts';
import type { GrowOptions } from '../../budget/reservation.ts';
import type { CheckedOptions } from './pool-options.ts';

const FIRST_GUESS_BYTES = 65_536;

/** What the pool tells of its idle objects, and how it gives them up. */
export interface IdleObjects {
  /** Bytes of all idle objects, and of those above `min`. */
  idleBytes(): number;
  spareBytes(): number;
  /** Destroys idle objects, oldest first, of at least `targetBytes` if there are; resolves when they are gone. */
  giveUp(request: { targetBytes: number; belowMin: boolean }): Promise<void>;
  /** The giving is over; what waited for it may go on. */
  given(): void;
}

export class ObjectBytes<T> {
  readonly #holder: HolderBytes | null = null;
  readonly #size: number | ((object: T) => number);
  readonly #level: (() => Level) | undefined;
  readonly #idle: IdleObjects;
  #nextBytes: number;
  #givings = 0;

  constructor(options: CheckedOptions<T>, idle: IdleObjects) {
    const { budget, name, where, priority, weight, bytesPerObject, level } = options;
    this.#size = bytesPerObject;
    this.#nextBytes = typeof bytesPerObject === 'number' ? bytesPerObject : FIRST_GUESS_BYTES;
    this.#level = level;
    this.#idle = idle;
    if (budget === undefined) return;
    this.#holder = new HolderBytes({
      ...{ budget, name, where, priority },
      ...(weight !== undefined && { weight }),
      ...(typeof bytesPerObject === 'number' && bytesPerObject > 0 && { pieceBytes: bytesPerObject }),
      droppableBytes: () => (this.#level?.() === 'critical' ? idle.idleBytes() : idle.spareBytes()),
      idleBytes: () => idle.spareBytes(),
      drop: (request) => this.#drop(request),
    });
  }

  /** What the next object is charged before it is made. */
  get nextBytes(): number {
    return this.#nextBytes;
  }

  get usedBytes(): number {
    return this.#holder?.usedBytes ?? 0;
  }

  /** True while the budget waits for what it asked back. */
  get isGiving(): boolean {
    return this.#givings > 0;
  }

  /** What `object` takes; the next is charged as much. Throws InvalidArgumentError for what is no size, and what the user's function throws. */
  sizeOf(object: T): number {
    if (typeof this.#size === 'number') return this.#size;
    const bytes = this.#size(object);
    if (!(Number.isSafeInteger(bytes) && bytes >= 0)) {
      throw new InvalidArgumentError('bytesPerObject', `must return a whole number of bytes; got ${String(bytes)}.`);
    }
    this.#nextBytes = bytes;
    return bytes;
  }

  tryTake(bytes: number): boolean {
    return this.#holder === null || this.#holder.tryTake(bytes);
  }

  async take(bytes: number, options: GrowOptions): Promise<void> {
    await this.#holder?.take(bytes, options);
  }

  release(bytes: number): void {
    if (this.#holder === null) return;
    this.#holder.release(bytes);
    if (this.#givings === 0) this.#holder.settle();
  }

  close(): void {
    this.#holder?.close();
  }

  async #drop({ targetBytes, kind, level, signal }: ReclaimRequest): Promise<void> {
    this.#givings++;
    try {
      const belowMin = kind !== 'idle' && (level === 'critical' || this.#level?.() === 'critical');
      await untilAborted(this.#idle.giveUp({ targetBytes, belowMin }), signal);
    } finally {
      // A turn later: what has come free must have been given back before anything is made of it.
      void nextTurn().then(() => {
        this.#givings--;
        this.#holder?.settle();
        this.#idle.given();
      });
    }
  }
}

function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      signal.removeEventListener('abort', finish);
      resolve();
    };
    signal.addEventListener('abort', finish, { once: true });
    work.then(finish);
  });
}
