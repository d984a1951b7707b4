/**
 * A `SessionStore` that fails when told to, and by chance: for tests of what happens then.
 *
 * Faults are operating errors, as the store's own are. With `failAfter` the store does what was asked and then says that it failed, as a
 * disk does that wrote and could not say so. By chance faults follow the seed: the same seed fails the same calls.
 */
import { type Random, seededRandom } from '../base/random.ts';
import type { SessionStore } from '../storage/session-store.ts';
import { StoreIoError } from '../storage/storage-errors.ts';

type Method = keyof SessionStore;

export class FaultySessionStore {
  /** The store to hand to a pool. */
  readonly store: SessionStore;
  /** Calls so far, by method. */
  readonly calls: Partial<Record<Method, number>> = {};
  /** Methods that fail, before or after they have done what they do. */
  readonly failBefore = new Set<Method>();
  readonly failAfter = new Set<Method>();
  /** Share of calls that fail by chance, 0 to 1. */
  chance = 0;
  /** Calls wait for this, if there is one. */
  gate: Promise<void> | null = null;
  readonly #random: Random;

  constructor(store: SessionStore, { seed = 1 }: { seed?: number } = {}) {
    this.#random = seededRandom(seed);
    this.store = new Proxy(store, {
      get: (target, name) => {
        const method = target[name as Method] as (...parameters: unknown[]) => Promise<unknown>;
        return (...parameters: unknown[]) =>
          this.#call(name as Method, () => Reflect.apply(method, target, parameters) as Promise<unknown>);
      },
    });
  }

  /** All is well again. */
  mend(): void {
    this.failBefore.clear();
    this.failAfter.clear();
    this.chance = 0;
    this.gate = null;
  }

  async #call(method: Method, action: () => Promise<unknown>): Promise<unknown> {
    this.calls[method] = (this.calls[method] ?? 0) + 1;
    if (this.gate) await this.gate;
    const isUnlucky = this.chance > 0 && this.#random() < this.chance;
    if (this.failBefore.has(method) || (isUnlucky && this.#random() < 0.5)) throw fault(method);
    const result = await action();
    if (this.failAfter.has(method) || isUnlucky) throw fault(method);
    return result;
  }
}

function fault(method: Method): StoreIoError {
  return new StoreIoError({ path: 'sessions.db', problem: `the disk failed in ${method}.` });
}
