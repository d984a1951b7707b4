/**
 * Whether another process may have changed something since, asked once for everybody in each turn of the event loop.
 *
 * Once a turn is enough. Somebody who was told elsewhere that a session has changed, and now asks us, comes in by an event; that event is
 * of a later turn than any question answered before the change.
 */
import type { SessionStore } from '../../storage/session-store.ts';

export class Freshness {
  readonly #store: SessionStore;
  #asked: Promise<string> | null = null;
  #invalidations = 0;

  constructor(store: SessionStore) {
    this.#store = store;
  }

  /** Copies read under one mark are the newest while the mark is the same. */
  mark(): Promise<string> {
    if (this.#asked === null) {
      const asked = this.#ask(this.#invalidations);
      const forget = () => {
        if (this.#asked === asked) this.#asked = null;
      };
      this.#asked = asked;
      asked.catch(forget);
      setImmediate(forget);
    }
    return this.#asked;
  }

  /** The mark where nobody else can change anything: it moves only with our own invalidations. */
  async own(): Promise<string> {
    return `${this.#invalidations}/`;
  }

  /** From now on no copy is known to be the newest: a change of our own has touched many. */
  invalidate(): void {
    this.#invalidations++;
    this.#asked = null;
  }

  async #ask(invalidations: number): Promise<string> {
    return `${invalidations}/${await this.#store.changeMark()}`;
  }
}
