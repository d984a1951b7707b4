/**
 * When sessions expire, on its way to the disk.
 *
 * Every use moves a session's end, and none of them is worth a write of its own: they are gathered and written together. What a crash
 * loses is that the session ends a little earlier. Only what has moved by a hundredth of the session's life is written at all.
 */
import type { SessionStore, SessionTouch } from '../../storage/session-store.ts';

const WORTH_WRITING_SHARE = 1 / 100;
const TOUCHES_AT_ONCE = 500;

export class TouchLog {
  readonly #store: SessionStore;
  #pending = new Map<string, SessionTouch>();

  constructor(store: SessionStore) {
    this.#store = store;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Whether the end of a session has moved enough from what the disk says. */
  static isWorthWriting(touch: { expiresAtMs: number; storedExpiresAtMs: number; ttlMs: number }): boolean {
    return Math.abs(touch.expiresAtMs - touch.storedExpiresAtMs) >= touch.ttlMs * WORTH_WRITING_SHARE;
  }

  note(touch: SessionTouch): void {
    this.#pending.set(touch.id, touch);
  }

  /** What is noted and not on the disk yet. */
  get(id: string): SessionTouch | undefined {
    return this.#pending.get(id);
  }

  forget(id: string): void {
    this.#pending.delete(id);
  }

  /**
   * Writes what is noted by now; what is noted meanwhile waits for the next time, or a busy pool would write without end. It stays noted until
   * the store has it, so that nobody who reads meanwhile takes an older end for true; what the store refuses stays as well.
   *
   * @throws what the store throws
   */
  async flush(): Promise<void> {
    const due = [...this.#pending.values()];
    for (let from = 0; from < due.length; from += TOUCHES_AT_ONCE) {
      const batch = due.slice(from, from + TOUCHES_AT_ONCE).filter((touch) => this.#pending.get(touch.id) === touch);
      if (batch.length === 0) continue;
      await this.#store.touch(batch);
      for (const touch of batch) if (this.#pending.get(touch.id) === touch) this.#pending.delete(touch.id);
    }
  }
}
