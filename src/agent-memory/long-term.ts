/**
 * Long-term memory: what agents know, durable when `remember` returns, found again by `recall`.
 *
 * Everything is addressed by a scope; there is no call that reaches across partitions. Disk is truth: nothing here holds a
 * memory that the store does not, and whatever is cached for speed lives in the store's own cache, under the budget.
 */
import { type Clock, nextTurn } from '../base/clock.ts';
import { ClosedError, InvalidArgumentError } from '../base/errors.ts';
import type { EventSink, TenureEventBase } from '../base/events.ts';
import type { MemoryStatistics, MemoryStore, NewMemory, StoredMemory } from '../storage/memory-store.ts';
import { requireScope, type Scope } from '../storage/scope.ts';
import {
  BATCH_LIMIT,
  newMemory,
  type RememberItem,
  type RememberOptions,
  requireName,
  requireString,
} from './memory-input.ts';
import { type Recalled, type RecallOptions, recall } from './recall/recall.ts';
import { ScratchArrays } from './recall/scratch.ts';
import { type TermCounts, termCounts } from './recall/term-counts.ts';
import { UsageLedger } from './usage-ledger.ts';

export interface RememberedEvent extends TenureEventBase {
  readonly type: 'agent_memory.remembered';
  readonly count: number;
  readonly tenant: string;
}

export interface ForgottenEvent extends TenureEventBase {
  readonly type: 'agent_memory.forgotten';
  readonly count: number;
  readonly tenant: string;
}

export type MemoryEvent = RememberedEvent | ForgottenEvent;

/** Characters of one durable transaction: a batch holds up other writers for some tens of milliseconds. */
const BATCH_CHARACTERS = 4_000_000;
/** Analysing goes on so long before others have a turn; one text takes from a tenth of a millisecond to some tens. */
const TURN_MS = 5;

/** What agents know: `remember` keeps it durably, `recall` finds it again, both within a scope. */
export class LongTermMemory implements AsyncDisposable {
  readonly #store: MemoryStore;
  readonly #clock: Clock;
  readonly #emit: EventSink<MemoryEvent>;
  readonly #usage: UsageLedger;
  readonly #scratch = new ScratchArrays();
  #closed = false;

  constructor(options: { store: MemoryStore; clock: Clock; onEvent: EventSink<MemoryEvent> }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#emit = options.onEvent;
    this.#usage = new UsageLedger(options);
  }

  /**
   * Keeps `text`; it is durable when the promise resolves.
   *
   * @example
   * ```ts
   * await tenure.memory.remember('Ann prefers short answers.', { scope: { tenant: 'acme', user: 'ann' }, tags: ['preference'] });
   * ```
   * @throws ScopeRequiredError, ScopeInvalidError, InvalidArgumentError, MemoryTooLargeError, and the store's errors.
   */
  async remember(text: string, options: RememberOptions & { signal?: AbortSignal }): Promise<StoredMemory> {
    const { signal, ...rest } = options ?? {};
    const [memory] = await this.rememberAll([{ ...rest, text }], signal ? { signal } : {});
    return memory!;
  }

  /** Keeps up to 2,000 memories, 4 million characters together, in one transaction: all of them or, when one cannot be kept, none. */
  async rememberAll(
    items: readonly RememberItem[],
    options: { signal?: AbortSignal } = {},
  ): Promise<readonly StoredMemory[]> {
    this.#requireOpen();
    options.signal?.throwIfAborted();
    requireBatch(items);
    const nowMs = this.#clock.nowMs();
    const made = await this.#analysed(items, { nowMs, signal: options.signal });
    await this.#store.put(made, options.signal);
    for (const [tenant, count] of countByTenant(made.map(({ memory }) => memory.scope))) {
      this.#emit({ type: 'agent_memory.remembered', atMs: nowMs, count, tenant });
    }
    return made.map(({ memory }) => ({ ...memory, uses: 0, lastUsedAtMs: null }));
  }

  /** Finds the memories that answer `query` best. See `RecallOptions`; throws `QueryError` when there is nothing to ask. */
  async recall(query: string, options: RecallOptions): Promise<readonly Recalled[]> {
    this.#requireOpen();
    const found = await recall(this.#store, query, {
      ...options,
      nowMs: this.#clock.nowMs(),
      scratch: this.#scratch,
    });
    if (options.marksUsed ?? true) this.markUsed(found.map(({ memory }) => memory.id));
    return found;
  }

  /** Counts a use of each memory, as `recall` does of what it returns unless it was told not to. */
  markUsed(ids: readonly string[]): void {
    this.#requireOpen();
    this.#usage.count(ids);
  }

  /** How common each term of `text` is in that scope's partition: what makes partitions comparable, which scores are not. */
  async termCounts(text: string, scope: Scope): Promise<TermCounts> {
    this.#requireOpen();
    return termCounts(this.#store, text, scope);
  }

  /** The memory with this id if it is in that scope's partition, else null. */
  async get(id: string, scope: Scope): Promise<StoredMemory | null> {
    this.#requireOpen();
    return this.#store.get(requireScope(scope), requireString(id, 'id'));
  }

  /** Removes a memory of that scope's partition; false when it is not there. */
  async forget(id: string, scope: Scope): Promise<boolean> {
    this.#requireOpen();
    const address = requireScope(scope);
    const removed = await this.#store.remove(address, requireString(id, 'id'));
    if (removed)
      this.#emit({ type: 'agent_memory.forgotten', atMs: this.#clock.nowMs(), count: 1, tenant: address.tenant });
    return removed;
  }

  /** Removes everything that came from `source`, except a version to keep; returns how many. */
  async forgetSource(source: string, scope: Scope, options: { keepVersion?: string } = {}): Promise<number> {
    this.#requireOpen();
    const address = requireScope(scope);
    const { keepVersion } = options ?? {};
    const count = await this.#store.removeSource(
      address,
      requireName(source, 'source'),
      keepVersion === undefined ? {} : { keepVersion: requireString(keepVersion, 'keepVersion') },
    );
    if (count > 0)
      this.#emit({ type: 'agent_memory.forgotten', atMs: this.#clock.nowMs(), count, tenant: address.tenant });
    return count;
  }

  /** The `version` in the metadata of the newest memory of a source, or null. */
  async sourceVersion(source: string, scope: Scope): Promise<string | null> {
    this.#requireOpen();
    const latest = await this.#store.latestOfSource(requireScope(scope), requireName(source, 'source'));
    const version = latest?.metadata['version'];
    return typeof version === 'string' ? version : null;
  }

  /** How many memories there are, in how many scopes. */
  statistics(): MemoryStatistics {
    return this.#store.statistics();
  }

  /** Writes what was counted. The store stays open: who opened it closes it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#usage.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The memories of a batch, and turns for others in between. */
  async #analysed(
    items: readonly RememberItem[],
    { nowMs, signal }: { nowMs: number; signal: AbortSignal | undefined },
  ): Promise<readonly NewMemory[]> {
    const made: NewMemory[] = [];
    let turnMs = this.#clock.monotonicMs();
    for (const item of items) {
      made.push(newMemory(item, nowMs));
      if (this.#clock.monotonicMs() - turnMs < TURN_MS) continue;
      await nextTurn();
      signal?.throwIfAborted();
      turnMs = this.#clock.monotonicMs();
    }
    return made;
  }

  #requireOpen(): void {
    if (this.#closed) throw new ClosedError('Long-term memory');
  }
}

function requireBatch(items: readonly RememberItem[]): void {
  if (!Array.isArray(items) || items.length > BATCH_LIMIT) {
    throw new InvalidArgumentError('items', `must be a list of at most ${BATCH_LIMIT} memories.`);
  }
  const characters = items.reduce((sum, item) => sum + (item?.text?.length ?? 0), 0);
  if (characters > BATCH_CHARACTERS) {
    throw new InvalidArgumentError(
      'items',
      `have ${characters} characters; keep at most ${BATCH_CHARACTERS} at a time.`,
    );
  }
}

function countByTenant(scopes: readonly Scope[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { tenant } of scopes) counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  return counts;
}
