/**
 * The end of a long session, read and added to without the rest.
 *
 * A prompt is made of the last turns of a conversation and an answer adds one; neither needs the conversation. A session that is in memory
 * is used there. One that is not stays on the disk: its last items are read and decoded alone, and new ones are written behind them whatever its
 * version is, for an item at the end is right whatever stands before it.
 */
import type { AccessParts, SessionAccess } from './session-access.ts';
import type { SessionWaiting } from './session-calls.ts';
import { SessionConflictError, SessionNotFoundError } from './session-errors.ts';
import { requireSessionId } from './session-options.ts';
import { untilAborted } from './until.ts';

type TailParts<V, I> = Omit<AccessParts<V, I>, 'background'> & { readonly access: SessionAccess<V, I> };

/** How items are recorded; `create` makes a session of `initial` and the items. */
interface Recording<V> extends SessionWaiting {
  readonly initial?: V | undefined;
  readonly create: (initial: V) => Promise<unknown>;
}

export class SessionTail<V, I> {
  readonly #parts: TailParts<V, I>;

  constructor(parts: TailParts<V, I>) {
    this.#parts = parts;
  }

  /** The last items, oldest first; null for no session. */
  async last(id: string, count: number, signal: AbortSignal | undefined): Promise<readonly I[] | null> {
    const { options, access, disk } = this.#parts;
    requireSessionId(id);
    signal?.throwIfAborted();
    const live = await access.findLive(id, signal);
    if (live === null) {
      access.counts.misses++;
      return untilAborted(disk.readLast(id, count), signal);
    }
    access.use(live, { isRolling: options.isRolling });
    return live.items.slice(-count);
  }

  async record(id: string, items: readonly I[], { initial, create, signal }: Recording<V>): Promise<void> {
    requireSessionId(id);
    for (;;) {
      if (items.length === 0 || (await this.#tryRecord(id, items, signal))) return;
      if (initial === undefined) throw new SessionNotFoundError({ id });
      try {
        await create(initial);
        return;
      } catch (error) {
        // Somebody else has made it meanwhile; add to that one.
        if (!(error instanceof SessionConflictError)) throw error;
      }
    }
  }

  /** False for no session. */
  #tryRecord(id: string, items: readonly I[], signal: AbortSignal | undefined): Promise<boolean> {
    const { lanes, access, live, disk } = this.#parts;
    return lanes.run(
      id,
      async () => {
        access.forgetExpired(id);
        if (live.get(id) === undefined) return disk.record(id, items, signal);
        try {
          await access.changeNow(id, { append: items, signal });
          return true;
        } catch (error) {
          if (error instanceof SessionNotFoundError) return false;
          throw error;
        }
      },
      signal,
    );
  }
}
