/**
 * A consumer that does what a test says: it holds one reservation, remembers how it was asked, and gives as
 * `onReclaim` tells it.
 */
import type { Budget } from '../budget/budget.ts';
import type { Consumer, ReclaimRequest, Residence } from '../budget/consumer.ts';
import type { Registration } from '../budget/registration.ts';
import type { Reservation } from '../budget/reservation.ts';

export interface ScriptedConsumerOptions {
  readonly name?: string;
  readonly where?: Residence;
  readonly priority?: number;
  readonly weight?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  /** Taken at once, without waiting. */
  readonly bytes?: number;
  readonly idleBytes?: number;
  readonly usedBytes?: number;
  readonly pieceBytes?: number;
  readonly valueOfLast?: (bytes: number) => number;
  /** By default it gives what is asked, down to its minimum. */
  readonly onReclaim?: (request: ReclaimRequest, consumer: ScriptedConsumer) => Promise<number> | number;
}

export class ScriptedConsumer implements Consumer {
  readonly name: string;
  readonly where: Residence;
  readonly priority: number;
  readonly weight: number;
  readonly minBytes: number;
  readonly maxBytes?: number;
  readonly pieceBytes?: number;
  readonly valueOfLast?: (bytes: number) => number;
  readonly registration: Registration;
  readonly reservation: Reservation;
  /** Every request it has had, in order. */
  readonly requests: ReclaimRequest[] = [];
  onReclaim: (request: ReclaimRequest, consumer: ScriptedConsumer) => Promise<number> | number;
  readonly #idleBytes: number;
  readonly #usedBytes: number | undefined;

  constructor(budget: Budget, options: ScriptedConsumerOptions = {}) {
    this.name = options.name ?? 'consumer';
    this.where = options.where ?? 'heap';
    this.priority = options.priority ?? 5;
    this.weight = options.weight ?? 1;
    this.minBytes = options.minBytes ?? 0;
    if (options.maxBytes !== undefined) this.maxBytes = options.maxBytes;
    if (options.pieceBytes !== undefined) this.pieceBytes = options.pieceBytes;
    if (options.valueOfLast) this.valueOfLast = options.valueOfLast;
    this.onReclaim = options.onReclaim ?? ((request) => this.give(request.targetBytes));
    this.#idleBytes = options.idleBytes ?? 0;
    this.#usedBytes = options.usedBytes;
    this.registration = budget.register(this);
    this.reservation = this.registration.reserve();
    if (options.bytes !== undefined && !this.reservation.tryGrow(options.bytes)) {
      throw new Error(`${this.name}: no room for ${options.bytes} bytes.`);
    }
  }

  get bytes(): number {
    return this.reservation.bytes;
  }

  reclaimableBytes(): number {
    return this.bytes;
  }

  idleBytes(): number {
    return this.#idleBytes;
  }

  usedBytes(): number {
    return this.#usedBytes ?? this.bytes;
  }

  reclaim(request: ReclaimRequest): Promise<number> | number {
    this.requests.push(request);
    return this.onReclaim(request, this);
  }

  /** Gives up to `bytes`, down to its minimum, and returns what it gave. */
  give(bytes: number): number {
    const givenBytes = Math.max(0, Math.min(bytes, this.bytes - this.minBytes));
    this.reservation.shrink(givenBytes);
    return givenBytes;
  }
}
