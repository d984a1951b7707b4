/**
 * One line for each session that is being worked on: changes of one session run one after the other, those of different ones side by side.
 *
 * A line exists while somebody stands in it, so what is not worked on costs nothing. It is bounded: beyond `maxWaiting` the next is
 * refused at once, which is better than a queue that grows until all of it is late. Who gives up waiting leaves at once; work that has
 * begun is not interrupted.
 */
import { untilAborted } from './until.ts';

interface Waiting {
  start(): void;
}

export class Lanes {
  readonly #lanes = new Map<string, Set<Waiting>>();
  readonly #maxWaiting: number;
  readonly #refusal: (id: string, waiting: number) => Error;
  #idle: (() => void)[] = [];
  #waiting = 0;

  constructor(options: { maxWaiting: number; refusal: (id: string, waiting: number) => Error }) {
    this.#maxWaiting = options.maxWaiting;
    this.#refusal = options.refusal;
  }

  /** Somebody works on the session, or waits to. */
  isBusy(id: string): boolean {
    return this.#lanes.has(id);
  }

  /** How many wait, in all lines. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Runs `work` when those before have ended, however.
   *
   * @throws the refusal when too many wait; the signal's reason while it waits; what `work` throws.
   */
  async run<T>(id: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const lane = this.#lanes.get(id);
    if (lane === undefined) this.#lanes.set(id, new Set());
    else await this.#turn(id, lane, signal);
    try {
      return await work();
    } finally {
      this.#next(id);
    }
  }

  /** Resolves when nobody works or waits. */
  async settled(): Promise<void> {
    if (this.#lanes.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #turn(id: string, lane: Set<Waiting>, signal: AbortSignal | undefined): Promise<void> {
    if (lane.size >= this.#maxWaiting) throw this.#refusal(id, lane.size);
    let waiting: Waiting | undefined;
    const turn = new Promise<void>((resolve) => {
      waiting = { start: resolve };
    });
    lane.add(waiting!);
    this.#waiting++;
    try {
      await untilAborted(turn, signal);
    } catch (error) {
      // Aborted in the very turn in which it was let in: the place is its own to hand on.
      if (!lane.delete(waiting!)) this.#next(id);
      else this.#waiting--;
      throw error;
    }
  }

  #next(id: string): void {
    const lane = this.#lanes.get(id)!;
    const [first] = lane;
    if (first) {
      lane.delete(first);
      this.#waiting--;
      first.start();
      return;
    }
    this.#lanes.delete(id);
    if (this.#lanes.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
