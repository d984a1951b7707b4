/**
 * The sessions that are in memory: in which order they leave, and what they are charged.
 *
 *   pinned   somebody has a handle open; never leaves
 *   recent   least recently used first
 *   idle     unused for `idleMs`; moved here from the front of `recent`, which is in order of use, so finding them costs nothing
 *
 * Every one is charged to the pool's consumer and, where it has an owner, to his quota; what cannot be charged is not kept, and is served
 * from the disk. Whoever must go to make room was used least recently: of the same owner when the owner is at his limit, of all when
 * the pool or the budget is. What the disk does not have yet is written before it goes.
 */
import type { Clock } from '../../base/clock.ts';
import type { Budget } from '../../budget/budget.ts';
import { BudgetExceededError } from '../../budget/budget-errors.ts';
import { HolderBytes, type HolderOptions } from '../../budget/holder-bytes.ts';
import type { QuotaBook } from '../../budget/quota.ts';
import type { LiveSession } from './live-session.ts';
import { lossOf } from './session-value.ts';

/** After the budget has refused, it is not asked to make room again for so long: asking costs more than reading from the disk. */
const REFUSED_MS = 1_000;

export interface LiveSessionsOptions<V, I> {
  readonly budget: Budget;
  readonly clock: Clock;
  readonly quotas: QuotaBook | undefined;
  readonly max: number;
  readonly idleMs: number;
  readonly roomTimeoutMs: number;
  readonly holder: Pick<HolderOptions, 'name' | 'priority' | 'weight' | 'minBytes' | 'maxBytes' | 'drop'>;
  /** Somebody works on it just now. */
  isBusy(id: string): boolean;
  /** It leaves memory for the disk. */
  onSpill(session: LiveSession<V, I>): void;
  /** Writes what the disk does not have; false when that failed. */
  write(session: LiveSession<V, I>): Promise<boolean>;
}

export class LiveSessions<V, I> {
  readonly bytes: HolderBytes;
  readonly #options: LiveSessionsOptions<V, I>;
  readonly #all = new Map<string, LiveSession<V, I>>();
  readonly #recent = new Set<LiveSession<V, I>>();
  readonly #idle = new Set<LiveSession<V, I>>();
  /** By owner, least recently used first; only where there are quotas. */
  readonly #owned = new Map<string, Set<LiveSession<V, I>>>();
  #idleBytes = 0;
  #pinnedBytes = 0;
  #pinned = 0;
  #refusedUntilMs = Number.NEGATIVE_INFINITY;
  #spilled = 0;
  #isClosed = false;

  constructor(options: LiveSessionsOptions<V, I>) {
    this.#options = options;
    this.bytes = new HolderBytes({
      ...options.holder,
      budget: options.budget,
      where: 'heap',
      droppableBytes: () => this.bytes.usedBytes - this.#pinnedBytes,
      idleBytes: () => this.idleBytes,
      valueOfLast: (bytes) => lossOf(this.leastFirst(), bytes, options.clock.monotonicMs()),
    });
  }

  get size(): number {
    return this.#all.size;
  }

  get pinned(): number {
    return this.#pinned;
  }

  /** How often a session has left memory for the disk. */
  get spilled(): number {
    return this.#spilled;
  }

  /** Bytes of those that are idle now. */
  get idleBytes(): number {
    this.#age();
    return this.#idleBytes;
  }

  get(id: string): LiveSession<V, I> | undefined {
    return this.#all.get(id);
  }

  /** Every one, in no order. */
  all(): Iterable<LiveSession<V, I>> {
    return this.#all.values();
  }

  /** Those that are not pinned, least recently used first. */
  *leastFirst(): Generator<LiveSession<V, I>, void> {
    yield* this.#idle;
    yield* this.#recent;
  }

  /** Those that are idle now, longest first. */
  idle(): ReadonlySet<LiveSession<V, I>> {
    this.#age();
    return this.#idle;
  }

  /** Monotonic time at which the next one becomes idle; null when none will. */
  get nextIdleMs(): number | null {
    const [oldest] = this.#recent;
    return oldest ? oldest.usedMs + this.#options.idleMs : null;
  }

  /** Those of owners above their limits, least recently used first of each. */
  *overLimit(): Generator<LiveSession<V, I>, void> {
    const { quotas } = this.#options;
    for (const owner of quotas?.overLimit ?? []) {
      for (const session of this.#owned.get(owner) ?? []) {
        if (quotas!.excessBytes(owner) === 0) break;
        if (session.pins === 0) yield session;
      }
    }
  }

  /** May leave memory now, once it is written. */
  isFree(session: LiveSession<V, I>): boolean {
    return session.isKept && session.pins === 0 && !this.#options.isBusy(session.id);
  }

  /**
   * Takes the session in, if there is room for it or room can be made; false when it has to be served without being kept.
   *
   * @throws the signal's reason
   */
  async keep(session: LiveSession<V, I>, signal?: AbortSignal): Promise<boolean> {
    const bytes = session.neededBytes;
    const { owner } = session;
    if (!this.#tryCharge(owner, bytes, session)) return false;
    let isTaken = false;
    let isKept = false;
    try {
      isTaken = await this.#take(bytes, signal);
      if (!isTaken) return false;
      // Looked at anew after each wait: others come in meanwhile.
      while (this.#all.size >= this.#options.max) if (!(await this.#spillOne())) return false;
      if (this.#isClosed) return false;
      this.#insert(session, bytes);
      isKept = true;
      this.bytes.settle();
    } finally {
      if (!isKept) this.#giveBack(owner, bytes, isTaken);
    }
    return true;
  }

  /** Charges what the session takes now; false when there is no room for it, and it must go. */
  resize(session: LiveSession<V, I>): boolean {
    const bytes = session.neededBytes;
    const growthBytes = bytes - session.heapBytes;
    if (growthBytes > 0) {
      if (!this.#tryCharge(session.owner, growthBytes, session)) return false;
      if (!this.bytes.tryTake(growthBytes) && !this.#trySwap(growthBytes, session)) {
        this.#refund(session.owner, growthBytes);
        return false;
      }
    } else {
      this.bytes.release(-growthBytes);
      this.#refund(session.owner, -growthBytes);
    }
    this.#count(session, growthBytes);
    session.heapBytes = bytes;
    this.bytes.settle();
    return true;
  }

  /** It was used just now: it is the last to leave. */
  use(session: LiveSession<V, I>): void {
    session.usedMs = this.#options.clock.monotonicMs();
    if (!session.isKept) return;
    if (session.pins === 0) {
      this.#leaveOrder(session);
      this.#recent.add(session);
    }
    const owned = this.#ownedWith(session);
    if (owned?.delete(session)) owned.add(session);
  }

  /** Keeps it in memory until it is unpinned as often. */
  pin(session: LiveSession<V, I>): void {
    if (session.pins++ > 0 || !session.isKept) return;
    this.#leaveOrder(session);
    this.#pinned++;
    this.#pinnedBytes += session.heapBytes;
  }

  unpin(session: LiveSession<V, I>): void {
    if (--session.pins > 0 || !session.isKept) return;
    this.#pinned--;
    this.#pinnedBytes -= session.heapBytes;
    this.#recent.add(session);
    this.use(session);
  }

  /** Takes it out; what the disk does not have is gone with it. */
  remove(session: LiveSession<V, I>): void {
    if (!session.isKept) return;
    this.#all.delete(session.id);
    if (session.pins > 0) this.#pinned--;
    else this.#leaveOrder(session);
    if (session.pins > 0) this.#pinnedBytes -= session.heapBytes;
    session.isKept = false;
    const owned = this.#ownedWith(session);
    owned?.delete(session);
    if (owned?.size === 0) this.#owned.delete(session.owner!);
    this.#giveBack(session.owner, session.heapBytes, true);
    session.heapBytes = 0;
  }

  /** Takes one out that the disk has; it can come back. */
  spill(session: LiveSession<V, I>): void {
    this.#spilled++;
    this.#options.onSpill(session);
    this.remove(session);
  }

  /** Takes everything out and ends the registration. */
  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#all.values()]) this.remove(session);
    this.bytes.close();
  }

  #insert(session: LiveSession<V, I>, bytes: number): void {
    session.heapBytes = bytes;
    session.isKept = true;
    this.#all.set(session.id, session);
    if (session.pins > 0) {
      this.#pinned++;
      this.#pinnedBytes += bytes;
    } else this.#recent.add(session);
    if (this.#options.quotas === undefined || session.owner === null) return;
    const owned = this.#owned.get(session.owner);
    if (owned) owned.add(session);
    else this.#owned.set(session.owner, new Set([session]));
  }

  /** Moves those that have become idle; each is moved once for each use. */
  #age(): void {
    const untilMs = this.#options.clock.monotonicMs() - this.#options.idleMs;
    for (const session of this.#recent) {
      if (session.usedMs > untilMs) return;
      this.#recent.delete(session);
      this.#idle.add(session);
      this.#idleBytes += session.heapBytes;
    }
  }

  #leaveOrder(session: LiveSession<V, I>): void {
    if (this.#idle.delete(session)) this.#idleBytes -= session.heapBytes;
    else this.#recent.delete(session);
  }

  #count(session: LiveSession<V, I>, bytes: number): void {
    if (session.pins > 0) this.#pinnedBytes += bytes;
    else if (this.#idle.has(session)) this.#idleBytes += bytes;
  }

  /** Takes out the one used least recently, writing it first if need be; false when none can go. */
  async #spillOne(): Promise<boolean> {
    const victim = this.#firstFree();
    if (!victim) return false;
    if (victim.unwritten && !(await this.#options.write(victim))) return false;
    if (this.isFree(victim) && !victim.unwritten) this.spill(victim);
    return true;
  }

  #firstFree(): LiveSession<V, I> | null {
    for (const session of this.leastFirst()) if (this.isFree(session)) return session;
    return null;
  }

  async #take(bytes: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { clock, roomTimeoutMs } = this.#options;
    if (this.#isClosed) return false;
    if (this.bytes.tryTake(bytes)) return true;
    if (clock.monotonicMs() >= this.#refusedUntilMs) {
      try {
        await this.bytes.take(bytes, { timeoutMs: roomTimeoutMs, ...(signal && { signal }) });
        return true;
      } catch (error) {
        if (!(error instanceof BudgetExceededError)) throw error;
        this.#refusedUntilMs = clock.monotonicMs() + REFUSED_MS;
      }
    }
    return !this.#isClosed && this.#trySwap(bytes, null);
  }

  /** Takes bytes from those used least recently, if they have so many. */
  #trySwap(bytes: number, except: LiveSession<V, I> | null): boolean {
    const victims = this.#victims(this.leastFirst(), bytes - this.bytes.slackBytes, except);
    if (victims === null) return false;
    for (const victim of victims) this.spill(victim);
    return this.bytes.tryTake(bytes);
  }

  /** Charges an owner; one at his limit makes room among his own, if they have so much. */
  #tryCharge(owner: string | null, bytes: number, except: LiveSession<V, I>): boolean {
    const { quotas } = this.#options;
    if (quotas === undefined || owner === null || quotas.tryCharge(owner, bytes)) return true;
    const victims = this.#victims(this.#owned.get(owner) ?? [], bytes - quotas.roomBytes(owner), except);
    if (victims === null) return false;
    for (const victim of victims) this.spill(victim);
    return quotas.tryCharge(owner, bytes);
  }

  /** The first of `sessions` that can leave at once and hold `lackBytes` together; null when they do not. */
  #victims(
    sessions: Iterable<LiveSession<V, I>>,
    lackBytes: number,
    except: LiveSession<V, I> | null,
  ): LiveSession<V, I>[] | null {
    const victims: LiveSession<V, I>[] = [];
    let leftBytes = lackBytes;
    for (const session of sessions) {
      if (leftBytes <= 0) break;
      if (session === except || session.unwritten || !this.isFree(session)) continue;
      victims.push(session);
      leftBytes -= session.heapBytes;
    }
    return leftBytes <= 0 ? victims : null;
  }

  #refund(owner: string | null, bytes: number): void {
    if (owner !== null) this.#options.quotas?.refund(owner, bytes);
  }

  #giveBack(owner: string | null, bytes: number, isTaken: boolean): void {
    if (isTaken) this.bytes.release(bytes);
    this.#refund(owner, bytes);
  }

  #ownedWith(session: LiveSession<V, I>): Set<LiveSession<V, I>> | undefined {
    return session.owner === null ? undefined : this.#owned.get(session.owner);
  }
}
