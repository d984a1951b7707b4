/**
 * What ranking needs of a partition, kept between questions: its documents, and the postings of those not yet indexed.
 *
 * Everything here can be read again from the database, so it may be dropped at any time; it is the first thing to give
 * under pressure. Freshness costs one row read per question: `epoch` tells of removals (start over), `next_ordinal` of
 * arrivals (read on), and both see other processes' writes. Least recently used partitions leave first. Bytes are asked for
 * from an account before they are kept; when it refuses, colder partitions make room — their bytes are kept for the new ones, not given
 * back to be asked for again, for somebody else may be first in line — and when there are none, the partition is used for this
 * question and forgotten.
 *
 * Few postings wait as a rule, and are kept by term. When many do — a batch of long documents has come — they would cost hundreds of
 * megabytes and be read anew with every step of the indexing; so then each question looks its own terms up in the waiting rows.
 */
import type { DocumentTable } from '../memory-store.ts';
import { decodeTerms, TermFinder } from '../text-index/document-terms.ts';
import { GrowingDocuments, visitDocuments } from '../text-index/growing-documents.ts';
import type { Queries } from './queries.ts';
import { type Backlog, WAITING_ROWS } from './text-indexer.ts';

/** Where bytes are asked for and given back: a budget reservation fits. */
export interface ByteAccount {
  tryGrow(bytes: number): boolean;
  shrink(bytes: number): void;
}

/** Keeps no books: for a store used without a budget. */
export const UNLIMITED_ACCOUNT: ByteAccount = { tryGrow: () => true, shrink: () => {} };

export interface PartitionState extends Backlog {
  readonly id: number;
  readonly epoch: number;
}

export interface PartitionDocuments {
  readonly documents: DocumentTable;
  /** Of the terms asked for at least, by key: ordinal, frequency, ordinal, frequency, … */
  readonly waiting: ReadonlyMap<string, readonly number[]>;
}

/** Waiting terms up to which their postings are kept: a few milliseconds' reading. A little more than may wait before it is indexed. */
const KEPT_TERMS = 16_000;

/** What a waiting term costs, measured: a map entry, a string, an array; and each posting in it. */
const WAITING_TERM_BYTES = 200;
const WAITING_POSTING_BYTES = 16;
/** What a name costs besides its characters, in the map by id. */
const NAME_BYTES = 64;

interface Entry {
  readonly epoch: number;
  readonly documents: GrowingDocuments;
  readonly names: Map<number, string>;
  indexedOrdinals: number;
  /** Documents from `indexedOrdinals` to before this one are in `waiting`. */
  waitingOrdinals: number;
  highestNameId: number;
  nameBytes: number;
  waiting: Map<string, number[]>;
  waitingPostings: number;
  bytes: number;
}

export class PartitionCache {
  readonly #account: ByteAccount;
  /** In order of last use, oldest first. */
  readonly #entries = new Map<number, Entry>();
  #bytes = 0;

  constructor(account: ByteAccount) {
    this.#account = account;
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The partition's documents as of this transaction, with what waits of the terms with these keys. */
  open(db: Queries, state: PartitionState, keys: Iterable<string>): PartitionDocuments {
    const kept = this.#entries.get(state.id);
    if (kept) this.#entries.delete(state.id);
    const entry = kept?.epoch === state.epoch ? kept : newEntry(state.epoch);
    if (kept && kept !== entry) this.#giveBack(kept);
    let waiting: ReadonlyMap<string, readonly number[]>;
    try {
      waiting = readOn(db, entry, { state, keys });
    } catch (error) {
      this.#giveBack(entry);
      throw error;
    }
    this.#keep(state.id, entry);
    return { documents: entry.documents, waiting };
  }

  /** Drops least recently used partitions until `targetBytes` are free or nothing is left; returns the bytes freed. */
  trim(targetBytes: number): number {
    const freedBytes = this.#drop(targetBytes);
    this.#account.shrink(freedBytes);
    return freedBytes;
  }

  clear(): void {
    this.trim(Number.POSITIVE_INFINITY);
  }

  #keep(id: number, entry: Entry): void {
    const bytes = bytesOf(entry);
    let lacking = bytes - entry.bytes;
    if (lacking > 0 && !this.#account.tryGrow(lacking)) {
      lacking -= this.#drop(lacking);
      if (lacking > 0 && !this.#account.tryGrow(lacking)) {
        this.#account.shrink(bytes - lacking);
        this.#bytes -= entry.bytes;
        entry.bytes = 0;
        return;
      }
    }
    if (lacking < 0) this.#account.shrink(-lacking);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.#entries.set(id, entry);
  }

  /** Drops least recently used partitions and leaves their bytes reserved; returns how many. */
  #drop(targetBytes: number): number {
    let freedBytes = 0;
    for (const [id, entry] of this.#entries) {
      if (freedBytes >= targetBytes) break;
      this.#entries.delete(id);
      freedBytes += entry.bytes;
      this.#bytes -= entry.bytes;
      entry.bytes = 0;
    }
    return freedBytes;
  }

  #giveBack(entry: Entry): void {
    this.#account.shrink(entry.bytes);
    this.#bytes -= entry.bytes;
    entry.bytes = 0;
  }
}

function bytesOf({ documents, nameBytes, waiting, waitingPostings }: Entry): number {
  return documents.bytes + nameBytes + waiting.size * WAITING_TERM_BYTES + waitingPostings * WAITING_POSTING_BYTES;
}

function newEntry(epoch: number): Entry {
  return {
    epoch,
    documents: new GrowingDocuments(),
    names: new Map(),
    highestNameId: 0,
    nameBytes: 0,
    indexedOrdinals: 0,
    waitingOrdinals: 0,
    waiting: new Map(),
    waitingPostings: 0,
    bytes: 0,
  };
}

/** Brings an entry up to the state of the partition, and returns what waits of the terms asked for at least. */
function readOn(
  db: Queries,
  entry: Entry,
  { state, keys }: { state: PartitionState; keys: Iterable<string> },
): ReadonlyMap<string, readonly number[]> {
  const { documents } = entry;
  const nameOf = (id: number): string => {
    if (id > entry.highestNameId) readNames(db, entry, state.id);
    return entry.names.get(id) ?? '';
  };

  if (entry.indexedOrdinals !== state.indexed_ordinals) {
    const from = documents.size;
    for (const run of db.all<{ first_ordinal: number; count: number; bytes: Uint8Array }>(
      'SELECT first_ordinal, count, bytes FROM text_documents WHERE partition_id = ? AND first_ordinal + count > ? ORDER BY first_ordinal',
      state.id,
      from,
    )) {
      visitDocuments(run, (index, document) => {
        const ordinal = run.first_ordinal + index;
        if (ordinal >= from) documents.add(ordinal, document, nameOf);
      });
    }
    entry.indexedOrdinals = state.indexed_ordinals;
    entry.waitingOrdinals = state.indexed_ordinals;
    entry.waiting = new Map();
    entry.waitingPostings = 0;
  }
  const span = { from: entry.waitingOrdinals, to: state.next_ordinal };
  if (state.waiting_terms > KEPT_TERMS) {
    const finder = new TermFinder(keys);
    const found = new Map<string, number[]>();
    for (const [term, list] of entry.waiting) if (finder.wants(term)) found.set(term, [...list]);
    visitWaiting(db, { partitionId: state.id, span, documents, nameOf }, (row) =>
      addPostings(found, { ordinal: row.ordinal, terms: finder.find(row.terms) }),
    );
    return found;
  }
  visitWaiting(db, { partitionId: state.id, span, documents, nameOf }, (row) => {
    const terms = decodeTerms(row.terms);
    addPostings(entry.waiting, { ordinal: row.ordinal, terms });
    entry.waitingPostings += terms.size;
  });
  entry.waitingOrdinals = state.next_ordinal;
  return entry.waiting;
}

/** The names that came since they were last read. */
function readNames(db: Queries, entry: Entry, partitionId: number): void {
  for (const { id, name } of db.all<{ id: number; name: string }>(
    'SELECT id, name FROM partition_names WHERE partition_id = ? AND id > ? ORDER BY id',
    partitionId,
    entry.highestNameId,
  )) {
    entry.names.set(id, name);
    entry.highestNameId = id;
    entry.nameBytes += NAME_BYTES + 2 * name.length;
  }
}

interface WaitingRow {
  readonly ordinal: number;
  readonly length: number;
  readonly session_id: number | null;
  readonly speaker_id: number | null;
  readonly terms: Uint8Array;
}

/** Visits the waiting documents of a span, and adds those that are new to the table. */
function visitWaiting(
  db: Queries,
  where: {
    partitionId: number;
    span: { from: number; to: number };
    documents: GrowingDocuments;
    nameOf: (id: number) => string;
  },
  visit: (row: WaitingRow) => void,
): void {
  const { partitionId, span, documents, nameOf } = where;
  if (span.from >= span.to) return;
  const known = documents.size;
  for (const row of db.iterate<WaitingRow>(WAITING_ROWS, partitionId, span.from, span.to)) {
    visit(row);
    if (row.ordinal < known) continue;
    const document = { length: row.length, sessionId: row.session_id ?? 0, speakerId: row.speaker_id ?? 0 };
    documents.add(row.ordinal, document, nameOf);
  }
}

function addPostings(
  lists: Map<string, number[]>,
  { ordinal, terms }: { ordinal: number; terms: ReadonlyMap<string, number> },
): void {
  for (const [term, frequency] of terms) {
    const list = lists.get(term);
    if (list) list.push(ordinal, frequency);
    else lists.set(term, [ordinal, frequency]);
  }
}
