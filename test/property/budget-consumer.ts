/** Consumers for the property test, of every character; whatever they give, they give through the model as well. */
import { type Clock, wait } from '../../src/base/clock.ts';
import type { Consumer, ReclaimRequest } from '../../src/budget/consumer.ts';
import type { Registration } from '../../src/budget/registration.ts';
import type { Reservation } from '../../src/budget/reservation.ts';
import type { ModelNode } from './budget-model.ts';

/** Large enough for every tolerance of the budget to be exceeded, and no round number. */
export const UNIT_BYTES = 50_021;

const CONDUCTS = [
  'honest',
  'honest',
  'stingy',
  'liar',
  'thrower',
  'rejecter',
  'slow',
  'hanger',
  'lavish',
  'reckless',
  'greedy',
  'babbler',
  'mumbler',
  'mute',
] as const;
type Conduct = (typeof CONDUCTS)[number];

/** A consumer as the test knows it. */
export interface Holder {
  readonly registration: Registration;
  readonly node: ModelNode;
  readonly reservations: { reservation: Reservation; bytes: number }[];
  /** May be asked at this moment without the test knowing: it does not answer within the call. */
  readonly isSlow: boolean;
}

/** What a consumer sees of the test. */
export interface Surroundings {
  readonly clock: Clock;
  check(): void;
  fail(message: string): never;
  shrink(holder: Holder, held: Holder['reservations'][number], bytes: number): void;
  expectRejection(promise: Promise<void>, codes: readonly string[]): void;
}

export class ModelledConsumer implements Consumer {
  readonly name: string;
  readonly where: 'heap' | 'native';
  readonly priority: number;
  readonly weight: number;
  readonly minBytes: number;
  readonly maxBytes?: number;
  readonly valueOfLast?: (bytes: number) => number;
  readonly #world: Surroundings;
  readonly #conduct: Conduct;
  readonly isSlow: boolean;
  holder: Holder | undefined;

  constructor(
    world: Surroundings,
    options: { name: string; minBytes: number; maxBytes: number | undefined; character: number },
  ) {
    const { name, minBytes, maxBytes, character } = options;
    this.#world = world;
    this.#conduct = pick(CONDUCTS, character)!;
    this.isSlow = ['slow', 'hanger', 'rejecter'].includes(this.#conduct);
    this.name = name;
    this.where = character % 3 === 0 ? 'native' : 'heap';
    this.priority = character % 11;
    this.weight = 1 + (character % 4);
    this.minBytes = minBytes;
    if (maxBytes !== undefined) this.maxBytes = maxBytes;
    if (character % 2 === 0) this.valueOfLast = (bytes) => bytes ** 2 * (character % 5);
  }

  reclaimableBytes(): number {
    if (this.#conduct === 'mumbler') return Number.NaN;
    if (this.#conduct === 'mute') throw new Error('says nothing');
    return this.#conduct === 'liar' ? 10 ** 9 : (this.holder?.node.ownBytes ?? 0);
  }

  idleBytes(): number {
    return this.#conduct === 'stingy' ? 5 * UNIT_BYTES : 0;
  }

  reclaim(request: ReclaimRequest): Promise<number> | number {
    const holder = this.holder!;
    const { targetBytes } = request;
    this.#world.check();
    const spareBytes = holder.node.ownBytes - this.minBytes;
    if (!(targetBytes > 0 && targetBytes <= spareBytes))
      this.#world.fail(`${this.name} asked for ${targetBytes} of ${spareBytes}`);
    switch (this.#conduct) {
      case 'honest':
        return this.#give(targetBytes);
      case 'stingy':
        return this.#give(Math.ceil(targetBytes / 3));
      case 'lavish':
        return this.#give(Number.MAX_SAFE_INTEGER);
      case 'reckless':
        return this.#give(Number.MAX_SAFE_INTEGER, 0);
      case 'liar':
        return targetBytes;
      case 'babbler':
      case 'mumbler':
      case 'mute':
        return Number.NaN;
      case 'thrower':
        this.#give(1);
        throw new Error('no');
      case 'rejecter':
        return Promise.reject(new Error('no, later'));
      case 'slow':
        return wait(this.#world.clock, 30, request.signal).then(() => this.#give(targetBytes));
      case 'hanger':
        return new Promise(() => {});
      case 'greedy': {
        const held = holder.reservations[0];
        if (held) {
          if (held.reservation.tryGrow(1)) this.#world.fail(`${this.name} grew while it was asked`);
          const grown = held.reservation.grow(1).then(() => Promise.reject(new Error('grew while it was asked')));
          this.#world.expectRejection(grown, ['BUDGET_REENTRY']);
        }
        return this.#give(targetBytes);
      }
    }
  }

  /** Gives up to `bytes` from all over its reservations, down to `keptBytes`: its minimum, if it keeps its word. */
  #give(bytes: number, keptBytes = this.minBytes): number {
    const holder = this.holder!;
    let givenBytes = 0;
    for (const held of holder.reservations) {
      const piece = Math.min(bytes - givenBytes, held.bytes, holder.node.ownBytes - keptBytes);
      if (piece <= 0) continue;
      this.#world.shrink(holder, held, piece);
      givenBytes += piece;
    }
    return givenBytes;
  }
}

/** The item that `at` falls on, whatever its size. */
export function pick<T>(items: readonly T[], at: number): T | undefined {
  return items[at % items.length];
}
