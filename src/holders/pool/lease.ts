/**
 * The right to use one object of a pool, until it is returned.
 *
 * A lease is over when it is released, destroyed or disposed, and when its pool takes the object away (closed with the lease still
 * out). From then on `object` throws, so that a use after return is a clear error at its place and not somebody else's broken query. Disposing
 * twice is harmless; releasing twice is a mistake in the caller's logic, and is told to it and counted.
 *
 * It costs two words and a number: whether it is over is the generation of its entry, so the pool need not keep it to end it.
 */
import { ClosedError } from '../../base/errors.ts';
import type { Entry } from './entry.ts';
import { PoolLeaseReturnedError } from './pool-errors.ts';

/** What a lease needs of its pool. */
export interface LeaseOwner<T> {
  readonly name: string;
  readonly isClosing: boolean;
  /** Takes the object back, to be lent again unless it `isBroken`. */
  takeBack(entry: Entry<T>, isBroken: boolean): void;
  /** A lease that was over was returned once more. */
  returnedTwice(): void;
}

const DONE: Promise<void> = Promise.resolve();

/** Made by `ObjectPool.acquire()`; return it by `await using`, `using`, `release()` or `destroy()`. */
export class Lease<T> implements Disposable, AsyncDisposable {
  readonly #owner: LeaseOwner<T>;
  readonly #entry: Entry<T>;
  readonly #generation: number;

  /** @internal */
  constructor(owner: LeaseOwner<T>, entry: Entry<T>) {
    this.#owner = owner;
    this.#entry = entry;
    this.#generation = entry.generation;
  }

  /**
   * The borrowed object. Do not keep it past the lease: it is somebody else's then.
   *
   * @throws PoolLeaseReturnedError after the lease was returned; ClosedError after its pool has closed and taken the object away.
   */
  get object(): T {
    if (this.#entry.generation !== this.#generation) throw this.#over();
    return this.#entry.object;
  }

  /** True after it was returned, or its pool has closed over it. */
  get isReturned(): boolean {
    return this.#entry.generation !== this.#generation;
  }

  /**
   * Gives the object back for the next.
   *
   * @throws PoolLeaseReturnedError when it was returned before.
   */
  release(): void {
    this.#return(false);
  }

  /**
   * Gives the object back as broken: it is destroyed and never lent again.
   *
   * @throws PoolLeaseReturnedError when it was returned before.
   */
  destroy(): void {
    this.#return(true);
  }

  [Symbol.dispose](): void {
    if (this.#entry.generation === this.#generation) this.#owner.takeBack(this.#entry, false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#entry.generation === this.#generation) this.#owner.takeBack(this.#entry, false);
    return DONE;
  }

  #return(isBroken: boolean): void {
    if (this.#entry.generation === this.#generation) this.#owner.takeBack(this.#entry, isBroken);
    // A pool that has closed over a lease has returned it on its holder's behalf; the holder did nothing wrong.
    else if (!this.#owner.isClosing) {
      this.#owner.returnedTwice();
      throw this.#over();
    }
  }

  #over(): Error {
    const { name, isClosing } = this.#owner;
    return isClosing ? new ClosedError(`The pool ${name}`) : new PoolLeaseReturnedError(name);
  }
}
