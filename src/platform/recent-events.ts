/** The last events of a node, for a dashboard that has just connected. Bounded; the oldest leave first. */
import type { TenureEventBase } from '../base/events.ts';

export class RecentEvents<E extends TenureEventBase> {
  readonly #events: E[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  readonly add = (event: E): void => {
    this.#events.push(event);
    if (this.#events.length > this.#limit) this.#events.shift();
  };

  /** At most `limit` events, newest first. */
  newest(limit: number): readonly E[] {
    return limit > 0 ? this.#events.slice(-limit).reverse() : [];
  }
}
