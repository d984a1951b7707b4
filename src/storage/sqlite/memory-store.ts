/**
 * Long-term memories in SQLite: the adapter of the `MemoryStore` port.
 *
 * Writes go through the database's write queue and are durable when they resolve. Reads are synchronous inside and answer in
 * one snapshot each. Indexing of new documents follows a write in transactions of its own, so that nobody waits for it; if it
 * fails or the process dies, the documents are still found through their rows and the next write tries again.
 */
import { invariant } from '../../base/assert.ts';
import { ClosedError, messageOf, TenureError } from '../../base/errors.ts';
import type { EventSink, TenureEventBase } from '../../base/events.ts';
import type {
  LexicalView,
  MemoryFilter,
  MemoryStatistics,
  MemoryStore,
  NewMemory,
  StoredMemory,
} from '../memory-store.ts';
import type { Scope } from '../scope.ts';
import { GrowingDocuments } from '../text-index/growing-documents.ts';
import type { PostingList } from '../text-index/postings.ts';
import { termKey } from '../text-index/term-key.ts';
import type { SqliteDatabase } from './connection.ts';
import { findPartition, insertAll, removeSlice } from './memory-changes.ts';
import { type Condition, conditionOf, sessionCondition } from './memory-filter.ts';
import { MEMORIES, MEMORY_COLUMNS, type MemoryRow, memoryOf } from './memory-rows.ts';
import { type ByteAccount, PartitionCache, UNLIMITED_ACCOUNT } from './partition-cache.ts';
import { indexSome, isCrowded } from './text-indexer.ts';
import { readPostings } from './text-segments.ts';

/** Indexing failed; the memories are safe and found, only slower. */
export interface IndexFailedEvent extends TenureEventBase {
  readonly type: 'storage.index_failed';
  readonly message: string;
}

const EMPTY_VIEW: LexicalView = { documents: new GrowingDocuments(), postings: new Map() };

export class SqliteMemoryStore implements MemoryStore {
  readonly #database: SqliteDatabase;
  readonly #cache: PartitionCache;
  readonly #emit: EventSink<IndexFailedEvent>;
  readonly #nowMs: () => number;
  readonly #toIndex = new Set<number>();
  #givesBack = false;
  #background: Promise<void> = Promise.resolve();

  constructor(options: {
    database: SqliteDatabase;
    nowMs: () => number;
    onEvent: EventSink<IndexFailedEvent>;
    account?: ByteAccount;
  }) {
    this.#database = options.database;
    this.#nowMs = options.nowMs;
    this.#emit = options.onEvent;
    this.#cache = new PartitionCache(options.account ?? UNLIMITED_ACCOUNT);
  }

  /** What is kept in memory to rank quickly; all of it can be dropped. */
  get cache(): PartitionCache {
    return this.#cache;
  }

  async put(items: readonly NewMemory[], signal?: AbortSignal): Promise<void> {
    if (items.length === 0) return;
    const busy = await this.#database.write((db) => insertAll(db, items), signal ? { signal } : {});
    for (const partitionId of busy) this.#indexLater(partitionId);
  }

  async get(scope: Scope, id: string): Promise<StoredMemory | null> {
    const inSession = inSessionOf(scope);
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      const row =
        partition &&
        db.get<MemoryRow>(
          `SELECT ${MEMORY_COLUMNS} FROM ${MEMORIES} WHERE m.id = ? AND m.partition_id = ? ${inSession.sql}`,
          id,
          partition.id,
          ...inSession.parameters,
        );
      return row ? withoutOrdinal(memoryOf(row, scope)) : null;
    });
  }

  async remove(scope: Scope, id: string): Promise<boolean> {
    return (await this.#removeAll(scope, { sql: 'm.id = ?', parameters: [id] })) > 0;
  }

  async removeSource(
    scope: Scope,
    source: string,
    options: { keepVersion?: string | undefined } = {},
  ): Promise<number> {
    const { keepVersion } = options;
    const version = `json_extract(m.metadata, '$.version')`;
    return this.#removeAll(
      scope,
      keepVersion === undefined
        ? { sql: 'm.source = ?', parameters: [source] }
        : { sql: `m.source = ? AND ${version} IS NOT ?`, parameters: [source, keepVersion] },
    );
  }

  async latestOfSource(scope: Scope, source: string): Promise<StoredMemory | null> {
    const inSession = inSessionOf(scope);
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      const row =
        partition &&
        db.get<MemoryRow>(
          `SELECT ${MEMORY_COLUMNS} FROM ${MEMORIES} WHERE m.partition_id = ? AND m.source = ? ${inSession.sql}
           ORDER BY m.sequence DESC LIMIT 1`,
          partition.id,
          source,
          ...inSession.parameters,
        );
      return row ? withoutOrdinal(memoryOf(row, scope)) : null;
    });
  }

  async lexical(scope: Scope, terms: readonly string[]): Promise<LexicalView> {
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      if (!partition) return EMPTY_VIEW;
      // A backlog is left when a process died, or was closed, between a write and its indexing.
      if (isCrowded(partition)) this.#indexLater(partition.id);
      const { documents, waiting } = this.#cache.open(db, partition, terms.map(termKey));
      const postings = new Map<string, PostingList>();
      for (const term of terms) {
        const key = termKey(term);
        const list = readPostings(db, partition.id, key);
        const late = waiting.get(key) ?? [];
        for (let index = 0; index < late.length; index += 2) list.push(late[index]!, late[index + 1]!);
        if (list.count > 0) postings.set(term, list);
      }
      return { documents, postings };
    });
  }

  async byOrdinals(scope: Scope, ordinals: readonly number[], filter: MemoryFilter) {
    const condition = conditionOf(filter);
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      if (!partition) return [];
      return ordinals.flatMap((ordinal) => {
        const row = db.get<MemoryRow>(
          `SELECT ${MEMORY_COLUMNS} FROM ${MEMORIES} WHERE m.partition_id = ? AND m.ordinal = ? ${condition.sql}`,
          partition.id,
          ordinal,
          ...condition.parameters,
        );
        return row ? [memoryOf(row, scope)] : [];
      });
    });
  }

  async matching(scope: Scope, filter: MemoryFilter): Promise<Uint32Array> {
    const condition = conditionOf(filter);
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      if (!partition) return new Uint32Array(0);
      const rows = db.all<{ ordinal: number }>(
        `SELECT m.ordinal FROM memories m WHERE m.partition_id = ? ${condition.sql} ORDER BY m.ordinal`,
        partition.id,
        ...condition.parameters,
      );
      return Uint32Array.from(rows, (row) => row.ordinal);
    });
  }

  async newest(scope: Scope, filter: MemoryFilter, limit: number) {
    const condition = conditionOf(filter);
    return this.#database.read((db) => {
      const partition = findPartition(db, scope);
      if (!partition) return [];
      return db
        .all<MemoryRow>(
          `SELECT ${MEMORY_COLUMNS} FROM ${MEMORIES} WHERE m.partition_id = ? ${condition.sql} ORDER BY m.ordinal DESC LIMIT ?`,
          partition.id,
          ...condition.parameters,
          limit,
        )
        .map((row) => memoryOf(row, scope));
    });
  }

  async countUses(uses: readonly { id: string; uses: number; lastUsedAtMs: number }[]): Promise<void> {
    if (uses.length === 0) return;
    await this.#database.write((db) => {
      for (const use of uses) {
        db.run(
          `INSERT INTO memory_uses (sequence, uses, last_used_at_ms) SELECT sequence, ?, ? FROM memories WHERE id = ?
           ON CONFLICT (sequence) DO UPDATE SET uses = uses + excluded.uses,
             last_used_at_ms = max(last_used_at_ms, excluded.last_used_at_ms)`,
          use.uses,
          use.lastUsedAtMs,
          use.id,
        );
      }
    });
  }

  statistics(): MemoryStatistics {
    const totals = this.#database.read((db) =>
      db.get<MemoryStatistics>('SELECT memories, scopes FROM memory_totals WHERE id = 1'),
    );
    invariant(totals, 'the totals are one row');
    return totals;
  }

  /** Resolves when nothing of this is under way in the background; for an orderly close and for tests. */
  settled(): Promise<void> {
    return this.#background;
  }

  #indexLater(partitionId: number): void {
    if (this.#toIndex.has(partitionId)) return;
    this.#toIndex.add(partitionId);
    void this.#inBackground(async () => {
      this.#toIndex.delete(partitionId);
      try {
        while (await this.#database.write((db) => indexSome(db, partitionId)));
      } catch (error) {
        // Closed meanwhile: the next one to open the store goes on.
        if (error instanceof ClosedError) return;
        if (!(error instanceof TenureError)) throw error;
        this.#emit({ type: 'storage.index_failed', atMs: this.#nowMs(), message: messageOf(error) });
      }
    });
  }

  #giveBackLater(): void {
    if (this.#givesBack) return;
    this.#givesBack = true;
    void this.#inBackground(async () => {
      this.#givesBack = false;
      try {
        await this.#database.giveBackSpace();
      } catch (error) {
        // What could not be given back serves later writes, and the next removal tries again.
        if (!(error instanceof TenureError)) throw error;
      }
    });
  }

  /** Runs `work` when what was asked for before has ended, however. Nobody awaits the result, so an error of it stops the process. */
  async #inBackground(work: () => Promise<void>): Promise<void> {
    const turn = this.#background.then(work);
    // A chain that stayed rejected would never index again.
    this.#background = turn.catch(() => {});
    await turn;
  }

  /** Removes what meets a condition, a bounded slice in each transaction; durable when it resolves. */
  async #removeAll(scope: Scope, which: Condition): Promise<number> {
    const inSession = inSessionOf(scope);
    const condition: Condition = {
      sql: `${which.sql} ${inSession.sql}`,
      parameters: [...which.parameters, ...inSession.parameters],
    };
    for (let removed = 0; ; ) {
      const slice = await this.#database.write((db) => removeSlice(db, scope, condition));
      removed += slice.removed;
      if (slice.more) continue;
      if (removed > 0) this.#giveBackLater();
      return removed;
    }
  }
}

/** The session of a scope as a condition; nothing when it names none. */
function inSessionOf(scope: Scope): Condition {
  return scope.session === undefined ? { sql: '', parameters: [] } : sessionCondition(scope.session);
}

function withoutOrdinal({ ordinal: _, ...memory }: StoredMemory & { ordinal: number }): StoredMemory {
  return memory;
}
