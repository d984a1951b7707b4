/**
 * Keeps the text index of a partition, always inside somebody's transaction.
 *
 * A new memory costs one row; its terms wait in that row (`terms`) until `INDEX_BATCH` documents have gathered, and then become a
 * segment together (`text-segments.ts`), so a single durable `remember` writes a few pages, not one for every word it holds. A batch
 * that is large enough by itself becomes a segment in its own transaction. Removal is exact and at once: the postings, the length and
 * the frequencies of the document leave in the transaction that deletes its row.
 */
import { BlockWriter } from '../text-index/block.ts';
import { decodeTerms } from '../text-index/document-terms.ts';
import { type DocumentEntry, encodeDocuments, visitDocuments } from '../text-index/growing-documents.ts';
import { PostingList } from '../text-index/postings.ts';
import { termKey } from '../text-index/term-key.ts';
import type { Queries } from './queries.ts';
import { addSegment, mergeSegments, removePostings, type Span } from './text-segments.ts';

/** Documents that may wait. Reading 256 short term lists takes well under a millisecond. */
export const INDEX_BATCH = 256;

/** Terms that may wait, whatever the number of documents: long documents are indexed sooner. */
const WAITING_TERMS = 8_000;

/** Different terms indexed in one transaction, unless one document alone has more: bounds how long everybody waits behind it. */
const TERMS_AT_ONCE = 8_000;

/** Documents in one row of `text_documents`. */
const DOCUMENT_RUN = 1024;

interface WaitingRow {
  readonly ordinal: number;
  readonly length: number;
  readonly session_id: number | null;
  readonly speaker_id: number | null;
  readonly terms: Uint8Array;
}

export const WAITING_ROWS = `SELECT ordinal, length, session_id, speaker_id, terms FROM memories
  WHERE partition_id = ? AND ordinal >= ? AND ordinal < ? ORDER BY ordinal`;

/** A document as it is inserted. */
export interface NewDocument extends DocumentEntry {
  readonly ordinal: number;
  readonly terms: ReadonlyMap<string, number>;
}

export interface Backlog {
  readonly next_ordinal: number;
  readonly indexed_ordinals: number;
  readonly waiting_terms: number;
}

/** True when enough waits that it should be moved into the index. */
export function isCrowded({ next_ordinal, indexed_ordinals, waiting_terms }: Backlog): boolean {
  return next_ordinal - indexed_ordinals >= INDEX_BATCH || waiting_terms >= WAITING_TERMS;
}

/**
 * Indexes a batch in the transaction that inserts it: one whose ordinals follow what is indexed, and that is neither too small for a
 * segment nor too large for one transaction. Returns whether it did.
 */
export function indexAtOnce(db: Queries, partitionId: number, batch: readonly NewDocument[]): boolean {
  if (batch.length < INDEX_BATCH) return false;
  const lists = new Map<string, PostingList>();
  for (const { ordinal, terms } of batch) {
    for (const [term, frequency] of terms) push(lists, termKey(term), { ordinal, frequency });
    if (lists.size > TERMS_AT_ONCE) return false;
  }
  const from = batch[0]!.ordinal;
  addToIndex(db, { partitionId, firstOrdinal: from, nextOrdinal: from + batch.length }, { lists, entries: batch });
  return true;
}

/** Moves a bounded number of waiting documents into the index, or takes one step of a merge; true when more may follow. */
export function indexSome(db: Queries, partitionId: number): boolean {
  return indexWaiting(db, partitionId) || mergeSegments(db, partitionId);
}

function indexWaiting(db: Queries, partitionId: number): boolean {
  const partition = db.get<Backlog>(
    'SELECT next_ordinal, indexed_ordinals, waiting_terms FROM partitions WHERE id = ?',
    partitionId,
  );
  if (!partition || !isCrowded(partition)) return false;
  const from = partition.indexed_ordinals;
  let to = partition.next_ordinal;
  let moved = 0;
  const lists = new Map<string, PostingList>();
  const entries: (DocumentEntry | undefined)[] = [];
  for (const row of db.iterate<WaitingRow>(WAITING_ROWS, partitionId, from, to)) {
    const terms = decodeTerms(row.terms);
    if (lists.size > 0 && lists.size + terms.size > TERMS_AT_ONCE) {
      to = row.ordinal;
      break;
    }
    moved += terms.size;
    entries[row.ordinal - from] = {
      length: row.length,
      sessionId: row.session_id ?? 0,
      speakerId: row.speaker_id ?? 0,
    };
    for (const [term, frequency] of terms) push(lists, term, { ordinal: row.ordinal, frequency });
  }
  entries.length = to - from;
  addToIndex(db, { partitionId, firstOrdinal: from, nextOrdinal: to }, { lists, entries: Array.from(entries), moved });
  return true;
}

function push(
  lists: Map<string, PostingList>,
  term: string,
  { ordinal, frequency }: { ordinal: number; frequency: number },
): void {
  const list = lists.get(term) ?? new PostingList(2);
  if (list.count === 0) lists.set(term, list);
  list.push(ordinal, frequency);
}

function addToIndex(
  db: Queries,
  span: Span,
  content: { lists: ReadonlyMap<string, PostingList>; entries: readonly (DocumentEntry | undefined)[]; moved?: number },
): void {
  const { lists, entries, moved = 0 } = content;
  const writer = new BlockWriter();
  for (const term of [...lists.keys()].sort()) writer.addPostings(term, lists.get(term)!);
  addSegment(db, span, { level: 0, blocks: writer.finish() });
  appendDocuments(db, { partitionId: span.partitionId, from: span.firstOrdinal }, entries);
  db.run(
    `UPDATE partitions SET indexed_ordinals = ?1,
       waiting_terms = CASE WHEN next_ordinal = ?1 THEN 0 ELSE waiting_terms - ?2 END WHERE id = ?3`,
    span.nextOrdinal,
    moved,
    span.partitionId,
  );
}

export interface IndexedDocument {
  readonly ordinal: number;
  /** Keys of its terms. */
  readonly terms: Iterable<string>;
}

/** Takes indexed documents out of every posting they are in and marks their places as holes. */
export function removeIndexed(db: Queries, partitionId: number, documents: readonly IndexedDocument[]): void {
  if (documents.length === 0) return;
  const ordinalsByTerm = new Map<string, Set<number>>();
  for (const { ordinal, terms } of documents) {
    for (const term of terms) {
      const ordinals = ordinalsByTerm.get(term);
      if (ordinals) ordinals.add(ordinal);
      else ordinalsByTerm.set(term, new Set([ordinal]));
    }
  }
  removePostings(db, partitionId, ordinalsByTerm);
  const runs = new Set(documents.map(({ ordinal }) => ordinal - (ordinal % DOCUMENT_RUN)));
  for (const firstOrdinal of runs) {
    const entries = readDocuments(db, { partitionId, firstOrdinal });
    for (const { ordinal } of documents) {
      if (ordinal >= firstOrdinal && ordinal < firstOrdinal + DOCUMENT_RUN) entries[ordinal - firstOrdinal] = undefined;
    }
    writeDocuments(db, { partitionId, firstOrdinal }, entries);
  }
}

function appendDocuments(
  db: Queries,
  at: { partitionId: number; from: number },
  added: readonly (DocumentEntry | undefined)[],
): void {
  for (let done = 0; done < added.length; ) {
    const ordinal = at.from + done;
    const firstOrdinal = ordinal - (ordinal % DOCUMENT_RUN);
    const entries = readDocuments(db, { partitionId: at.partitionId, firstOrdinal });
    entries.length = ordinal - firstOrdinal;
    const room = added.slice(done, done + DOCUMENT_RUN - entries.length);
    writeDocuments(db, { partitionId: at.partitionId, firstOrdinal }, [...entries, ...room]);
    done += room.length;
  }
}

function readDocuments(db: Queries, at: { partitionId: number; firstOrdinal: number }): (DocumentEntry | undefined)[] {
  const run = db.get<{ count: number; bytes: Uint8Array }>(
    'SELECT count, bytes FROM text_documents WHERE partition_id = ? AND first_ordinal = ?',
    at.partitionId,
    at.firstOrdinal,
  );
  const entries: (DocumentEntry | undefined)[] = [];
  if (run) visitDocuments(run, (_index, entry) => entries.push(entry));
  return entries;
}

function writeDocuments(
  db: Queries,
  at: { partitionId: number; firstOrdinal: number },
  entries: readonly (DocumentEntry | undefined)[],
): void {
  db.run(
    'INSERT OR REPLACE INTO text_documents (partition_id, first_ordinal, count, bytes) VALUES (?, ?, ?, ?)',
    at.partitionId,
    at.firstOrdinal,
    entries.length,
    encodeDocuments(entries),
  );
}
