/** A binary heap: takes out the lowest item first, by a given order. */
export class LowestFirst<T> {
  readonly #items: T[] = [];
  readonly #isLower: (one: T, other: T) => boolean;

  constructor(isLower: (one: T, other: T) => boolean) {
    this.#isLower = isLower;
  }

  get lowest(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isLower(item, items[above]!)) break;
      items[at] = items[above]!;
      at = above;
    }
    items[at] = item;
  }

  take(): T | undefined {
    const items = this.#items;
    const [lowest] = items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return lowest;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && this.#isLower(items[below + 1]!, items[below]!)) below++;
      if (!this.#isLower(items[below]!, last)) break;
      items[at] = items[below]!;
      at = below;
    }
    items[at] = last;
    return lowest;
  }
}
