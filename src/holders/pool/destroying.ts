/**
 * Destroying objects: each once, in bounded time, and whatever the callback does the object is gone for the pool.
 */
import { messageOf } from '../../base/errors.ts';
import { boundedCall } from './bounded-call.ts';
import type { Entry } from './entry.ts';
import { DESTROY_CAUSES, type DestroyCause } from './pool-events.ts';
import type { CheckedOptions } from './pool-options.ts';

export class Destroying<T> {
  readonly #options: CheckedOptions<T>;
  readonly #onGone: (entry: Entry<T>) => void;
  readonly counts = Object.fromEntries(DESTROY_CAUSES.map((cause) => [cause, 0])) as Record<DestroyCause, number>;
  /** Entries being destroyed. */
  underWay = 0;
  errorCount = 0;

  /** `onGone` gets each entry that has been destroyed, or given up on. */
  constructor(options: CheckedOptions<T>, onGone: (entry: Entry<T>) => void) {
    this.#options = options;
    this.#onGone = onGone;
  }

  /** Destroys an entry that stands in no list. Resolves when it is gone. */
  async entry(entry: Entry<T>, cause: DestroyCause): Promise<void> {
    entry.state = 'dying';
    this.underWay++;
    await this.object(entry.object, cause);
    this.underWay--;
    this.#onGone(entry);
  }

  /** Destroys an object that never came into the pool, or is leaving it. Never rejects. */
  async object(object: T, cause: DestroyCause): Promise<void> {
    const { name, clock, emit, destroy, destroyTimeoutMs } = this.#options;
    this.counts[cause]++;
    if (destroy === undefined) return;
    try {
      const what = `destroy() of the pool ${name}`;
      await boundedCall({ clock, what, timeoutMs: destroyTimeoutMs, run: (signal) => destroy(object, signal) });
    } catch (error) {
      this.errorCount++;
      emit({ type: 'pool.destroy_failed', atMs: clock.nowMs(), pool: name, cause, message: messageOf(error) });
    }
  }
}
