/**
 * A scope of resources, released together and in reverse order (rules MEM-001, MEM-003, MEM-004).
 *
 * Node 20 has the symbols of explicit resource management but not the stacks, so this is the small stack Tenure uses
 * itself. Every release runs even when an earlier one throws; the errors come back as one `AggregateError`. Closing twice is
 * harmless; adding to a closed scope throws, and the resource stays with the caller.
 */
import { ClosedError } from './errors.ts';

type Release = () => unknown;

/** Releases what it was given, newest first, when it is closed. */
export class ResourceScope implements AsyncDisposable {
  readonly #name: string;
  #releases: Release[] = [];
  #closing: Promise<void> | undefined;

  constructor(name = 'resource scope') {
    this.#name = name;
  }

  /** Takes over `resource` and returns it. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.defer(() =>
      Symbol.asyncDispose in resource ? resource[Symbol.asyncDispose]() : (resource as Disposable)[Symbol.dispose](),
    );
    return resource;
  }

  /** Runs `release` at close. */
  defer(release: Release): void {
    if (this.#closing) throw new ClosedError(this.#name);
    this.#releases.push(release);
  }

  get size(): number {
    return this.#releases.length;
  }

  /** Releases everything, newest first. Rejects with the error, or an `AggregateError` of several, after all have run. */
  close(): Promise<void> {
    // A turn later: what the first release adds or closes must find the scope closing already.
    this.#closing ??= Promise.resolve().then(() => this.#releaseAll());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #releaseAll(): Promise<void> {
    const releases = this.#releases.reverse();
    this.#releases = [];
    const errors: unknown[] = [];
    for (const release of releases) {
      try {
        await release();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1)
      throw new AggregateError(errors, `${errors.length} resources of ${this.#name} failed to close.`);
  }
}

/** Closes all side by side. Rejects with the error, or an `AggregateError` of several, after all have closed. */
export async function closeAll(things: Iterable<{ close(): unknown }>): Promise<void> {
  const ends = await Promise.allSettled([...things].map(async (thing) => thing.close()));
  const errors = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} of ${ends.length} failed to close.`);
}
