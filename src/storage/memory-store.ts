/**
 * The port behind which long-term memories are durable.
 *
 * A store keeps rows and, per partition, what full-text ranking needs: for each term the documents that hold it and how
 * often, and for each document its length, session and speaker. Ranking itself is not the store's business: it hands out a
 * `LexicalView` and `agent-memory/recall` does the arithmetic, so SQLite and PostgreSQL rank alike by construction.
 *
 * Promises: `put` and every removal resolve only when the change is durable; a write by another process is seen by the next
 * call; statistics of one partition never reflect another's documents.
 */
import type { Scope } from './scope.ts';

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One memory as it is kept. Times are milliseconds since the epoch. */
export interface StoredMemory {
  /** UUID version 7: unique everywhere, sorts by creation. */
  readonly id: string;
  readonly scope: Scope;
  readonly text: string;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, Json>>;
  /** 0 to 1. */
  readonly importance: number;
  readonly createdAtMs: number;
  /** When what it tells happened; the time of creation unless given. */
  readonly atMs: number;
  readonly validFromMs: number | null;
  /** End of validity, exclusive: a corrected fact is closed, not erased. */
  readonly validToMs: number | null;
  readonly expiresAtMs: number | null;
  readonly pinned: boolean;
  /** Where it came from: a document, a conversation, a system. */
  readonly source: string | null;
  readonly speaker: string | null;
  /** The model that made its vectors; `null` while it has none. */
  readonly model: string | null;
  /** How often recall has returned it; counted in batches, so it may lag by half a minute. */
  readonly uses: number;
  readonly lastUsedAtMs: number | null;
}

/** A memory to keep, with its text already analysed into terms and how often each occurs. */
export interface NewMemory {
  readonly memory: Omit<StoredMemory, 'uses' | 'lastUsedAtMs'>;
  readonly terms: ReadonlyMap<string, number>;
}

/** Conditions a recalled memory must meet, all of them. */
export interface MemoryFilter {
  readonly session?: string | undefined;
  /** All of these tags. */
  readonly tags?: readonly string[] | undefined;
  /** `atMs` within [fromMs, toMs). */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly minImportance?: number | undefined;
  /** Valid and not expired at this time. */
  readonly asOfMs: number;
}

/** Documents of one partition, by ordinal: the order in which they came, with holes where one was removed. */
export interface DocumentTable {
  /** Ordinals run from 0 to `size` - 1. */
  readonly size: number;
  readonly liveDocuments: number;
  /** Live documents that belong to no session. */
  readonly loneDocuments: number;
  /** Sum of the lengths of the live documents, in terms. */
  readonly totalLength: number;
  /** Length in terms by ordinal; 0 marks a hole. */
  readonly lengths: Uint32Array;
  /** Index into `sessionNames` by ordinal, plus 1; 0 where the document belongs to no session. */
  readonly sessions: Uint32Array;
  /** Index into `speakerNames` by ordinal, plus 1; 0 where nobody speaks. */
  readonly speakers: Uint32Array;
  /** Sum of the lengths of each session's documents, by index into `sessionNames`. */
  readonly sessionLengths: readonly number[];
  readonly sessionNames: readonly string[];
  readonly speakerNames: readonly string[];
}

/** The documents of one term: parallel arrays, ordinals ascending. */
export interface Postings {
  readonly count: number;
  readonly ordinals: Uint32Array;
  readonly frequencies: Uint32Array;
}

export interface LexicalView {
  readonly documents: DocumentTable;
  /** Postings by term; a term nobody used is absent. */
  readonly postings: ReadonlyMap<string, Postings>;
}

export interface MemoryStatistics {
  readonly memories: number;
  /** Partitions that hold at least one memory. */
  readonly scopes: number;
}

export interface MemoryStore {
  /** Keeps all of them or none; resolves when durable. */
  put(items: readonly NewMemory[], signal?: AbortSignal): Promise<void>;
  get(scope: Scope, id: string): Promise<StoredMemory | null>;
  /** Removes one memory of that partition; false when there is none. */
  remove(scope: Scope, id: string): Promise<boolean>;
  /** Removes the memories of a source, except those whose metadata field `version` equals `keepVersion`. */
  removeSource(scope: Scope, source: string, options?: { keepVersion?: string | undefined }): Promise<number>;
  /** The newest memory of a source. */
  latestOfSource(scope: Scope, source: string): Promise<StoredMemory | null>;
  /** What ranking needs for these terms in this partition. */
  lexical(scope: Scope, terms: readonly string[]): Promise<LexicalView>;
  /** Memories by ordinal, in the order asked for; holes and those that fail the filter are left out. */
  byOrdinals(
    scope: Scope,
    ordinals: readonly number[],
    filter: MemoryFilter,
  ): Promise<readonly (StoredMemory & { ordinal: number })[]>;
  /** Ordinals of every memory that meets the filter, ascending. */
  matching(scope: Scope, filter: MemoryFilter): Promise<Uint32Array>;
  /** The newest memories that meet the filter. */
  newest(scope: Scope, filter: MemoryFilter, limit: number): Promise<readonly (StoredMemory & { ordinal: number })[]>;
  /** Adds to the use counts, all of them or none, in one transaction: hand in a few hundred at a time. Unknown ids are passed over. */
  countUses(uses: readonly { id: string; uses: number; lastUsedAtMs: number }[]): Promise<void>;
  /** Takes the same short time however much is kept. */
  statistics(): MemoryStatistics;
}
