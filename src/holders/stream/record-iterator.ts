/**
 * Hands a stream's records to its consumer, one at a time.
 *
 * Records of a block come without waiting: `next` runs the stages and answers with a promise that is settled already. Only the next
 * piece, a stage that answers later, and whoever calls `next` before the last one was answered take the slow way. A generator
 * would take it for every record, which costs more than parsing one.
 */
import { NOTHING } from './block.ts';
import type { RecordFlow } from './record-flow.ts';
import { isThenable, type Passage, type Stage, type StageMaker } from './stages.ts';
import type { StreamPosition } from './stream-options.ts';

/** Why a stream stopped, when nothing was wrong. */
export const LEFT: unique symbol = Symbol('left');

export class RecordIterator<T> implements AsyncIterableIterator<T> {
  readonly #flow: RecordFlow<unknown>;
  readonly #stages: readonly Stage[];
  readonly #passage: Passage = { bytes: 0, position: null };
  /** Null: after the record delivered last, in the block at hand. */
  #position: StreamPosition | null;
  #pending: Promise<unknown> | null = null;
  /** A stage answers later; its answer goes on to the stage `next`. */
  #awaited: { readonly answer: PromiseLike<unknown>; readonly next: number } | null = null;
  /** The stage to be flushed next; null while records come. */
  #flushing: number | null = null;
  #isAtEnd = false;

  constructor(flow: RecordFlow<unknown>, makers: readonly StageMaker[], from: StreamPosition) {
    this.#flow = flow;
    this.#stages = makers.map((make) => make(flow));
    this.#position = from;
  }

  /** After the record delivered last. */
  get position(): StreamPosition {
    return this.#position ?? this.#flow.deliveredPosition;
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#pending === null && !this.#flow.isStopped && this.#flushing === null) {
      try {
        const value = this.#advance();
        if (value !== NOTHING) return Promise.resolve(this.#delivered(value));
      } catch (error) {
        return this.#queue(() => this.#fail(error));
      }
    }
    return this.#queue(() => this.#nextLater());
  }

  async return(): Promise<IteratorResult<T>> {
    await this.#flow.stop(LEFT);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    await this.#flow.stop(error);
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #queue(work: () => Promise<IteratorResult<T>>): Promise<IteratorResult<T>> {
    const result = this.#pending === null ? work() : this.#pending.then(work, work);
    const settled = () => {
      if (this.#pending === result) this.#pending = null;
    };
    this.#pending = result;
    result.then(settled, settled);
    return result;
  }

  async #nextLater(): Promise<IteratorResult<T>> {
    const flow = this.#flow;
    try {
      for (;;) {
        if (flow.isStopped) throw flow.stopReason;
        const value = await this.#step();
        if (value !== NOTHING) return this.#delivered(value);
        if (this.#awaited !== null) continue;
        if (this.#flushing === null) {
          await this.#fill();
        } else if (this.#flushing === this.#stages.length) {
          this.#flushing = null;
          if (!this.#isAtEnd) continue;
          flow.finish();
          await flow.stop(LEFT);
          return { done: true, value: undefined };
        }
      }
    } catch (error) {
      return this.#fail(error);
    }
  }

  /** As far as it goes: a value to deliver, or `NOTHING` when there is something to wait for or nothing left here. */
  async #step(): Promise<unknown> {
    if (this.#awaited !== null) {
      const { answer, next } = this.#awaited;
      this.#awaited = null;
      const value = await this.#flow.wait(answer);
      const passed = value === NOTHING ? NOTHING : this.#run(value, next);
      if (passed !== NOTHING || this.#awaited !== null) return passed;
    }
    return this.#flushing === null ? this.#advance() : this.#flush(this.#flushing);
  }

  /** Takes records until one comes through all stages. */
  #advance(): unknown {
    const flow = this.#flow;
    const passage = this.#passage;
    if (this.#awaited !== null) return NOTHING;
    for (let record = flow.take(); record !== NOTHING; record = flow.take()) {
      if (this.#stages.length === 0) return record;
      passage.bytes = flow.takenBytes;
      passage.position = null;
      const value = this.#run(record, 0);
      if (value !== NOTHING || this.#awaited !== null) return value;
    }
    return NOTHING;
  }

  #run(start: unknown, from: number): unknown {
    let value = start;
    for (let index = from; index < this.#stages.length; index++) {
      value = this.#stages[index]!.push(value, this.#passage);
      if (value === NOTHING) return NOTHING;
      if (isThenable(value)) {
        this.#awaited = { answer: value, next: index + 1 };
        return NOTHING;
      }
    }
    return value;
  }

  #flush(index: number): unknown {
    if (index === this.#stages.length) return NOTHING;
    this.#flushing = index + 1;
    this.#passage.position = null;
    const rest = this.#stages[index]!.flush?.(this.#passage) ?? NOTHING;
    return rest === NOTHING ? NOTHING : this.#run(rest, index + 1);
  }

  /** The next block; or the stages are to be flushed, at the end or for want of room. */
  async #fill(): Promise<void> {
    for (const stage of this.#stages) stage.release?.();
    const holds = this.#stages.some((stage) => stage.holds);
    // The block goes: what it says of the position is settled now. What no stage holds was delivered or left out.
    this.#position = holds ? this.position : this.#laterOf(this.#flow.takenPosition);
    const filled = await this.#flow.fill({ mayWait: !holds });
    this.#isAtEnd = filled === 'ended';
    if (filled !== 'filled') this.#flushing = 0;
  }

  /** Before the first block the position is the one to begin at. */
  #laterOf(taken: StreamPosition): StreamPosition {
    return this.#position !== null && taken.records < this.#position.records ? this.#position : taken;
  }

  #delivered(value: unknown): IteratorResult<T> {
    this.#position = this.#passage.position;
    this.#flow.deliver();
    return { done: false, value: value as T };
  }

  /** Closes everything, then tells why; a consumer that has left is told nothing. */
  async #fail(error: unknown): Promise<IteratorResult<T>> {
    const { isStopped } = this.#flow;
    await this.#flow.stop(error);
    const reason = isStopped ? this.#flow.stopReason : error;
    if (reason === LEFT) return { done: true, value: undefined };
    throw reason;
  }
}
