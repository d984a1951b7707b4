/**
 * Keeps `text_postings` and `text_documents` of a partition, always inside somebody's transaction.
 *
 * A new memory costs one row; its terms wait in that row (`terms`) until `INDEX_BATCH` documents have gathered, and then go
 * over together. So a term's chunk is rewritten once per batch instead of once per document, and a single durable
 * `remember` writes a few pages, not one for every word it holds. Removal is exact and at once: the postings, the length and the
 * frequencies of the document leave in the transaction that deletes its row.
 */
import { decodeTerms } from '../text-index/document-terms.ts';
import { type DocumentEntry, encodeDocuments, visitDocuments } from '../text-index/growing-documents.ts';
import { CHUNK_POSTINGS, type PostingChunk, PostingList } from '../text-index/postings.ts';
import type { Queries } from './queries.ts';

/** Documents that may wait. Reading 256 short term lists takes well under a millisecond; indexing them about fifteen. */
export const INDEX_BATCH = 256;

/** Terms that may wait, whatever the number of documents: long documents are indexed sooner. */
const WAITING_TERMS = 8_000;

/** Different terms touched in one transaction, unless one document alone has more: bounds how long everybody waits behind it. */
export const TERMS_AT_ONCE = 2_000;

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

export interface Backlog {
  readonly next_ordinal: number;
  readonly indexed_ordinals: number;
  readonly waiting_terms: number;
}

/** True when enough waits that it should be moved into the index. */
export function isCrowded({ next_ordinal, indexed_ordinals, waiting_terms }: Backlog): boolean {
  return next_ordinal - indexed_ordinals >= INDEX_BATCH || waiting_terms >= WAITING_TERMS;
}

/** Moves a bounded number of waiting documents into the index; true when more should follow. */
export function indexWaiting(db: Queries, partitionId: number): boolean {
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
    for (const [term, frequency] of terms) {
      const list = lists.get(term) ?? new PostingList(4);
      if (list.count === 0) lists.set(term, list);
      list.push(row.ordinal, frequency);
    }
  }
  entries.length = to - from;
  for (const term of [...lists.keys()].sort()) appendPostings(db, { partitionId, term }, lists.get(term)!);
  appendDocuments(db, { partitionId, from }, Array.from(entries));
  db.run(
    'UPDATE partitions SET indexed_ordinals = ?, waiting_terms = waiting_terms - ? WHERE id = ?',
    to,
    moved,
    partitionId,
  );
  return isCrowded({ ...partition, indexed_ordinals: to, waiting_terms: partition.waiting_terms - moved });
}

export interface IndexedDocument {
  readonly ordinal: number;
  readonly terms: Iterable<string>;
}

/** Takes indexed documents out of every posting they are in and marks their places as holes. */
export function removeIndexed(db: Queries, partitionId: number, documents: readonly IndexedDocument[]): void {
  const ordinalsByTerm = new Map<string, number[]>();
  for (const { ordinal, terms } of documents) {
    for (const term of terms) {
      const ordinals = ordinalsByTerm.get(term);
      if (ordinals) ordinals.push(ordinal);
      else ordinalsByTerm.set(term, [ordinal]);
    }
  }
  for (const term of [...ordinalsByTerm.keys()].sort()) {
    removePostings(db, { partitionId, term }, new Set(ordinalsByTerm.get(term)));
  }
  const runs = new Set(documents.map(({ ordinal }) => ordinal - (ordinal % DOCUMENT_RUN)));
  for (const firstOrdinal of runs) {
    const entries = readDocuments(db, { partitionId, firstOrdinal });
    for (const { ordinal } of documents) {
      if (ordinal >= firstOrdinal && ordinal < firstOrdinal + DOCUMENT_RUN) entries[ordinal - firstOrdinal] = undefined;
    }
    writeDocuments(db, { partitionId, firstOrdinal }, entries);
  }
}

/** Removes from one chunk after the other, from the last one that is touched to the first. */
function removePostings(db: Queries, key: { partitionId: number; term: string }, ordinals: ReadonlySet<number>): void {
  for (let highest = Math.max(...ordinals); highest >= 0; ) {
    const chunk = lastChunkUpTo(db, { ...key, ordinal: highest });
    if (!chunk) return;
    const list = new PostingList(chunk.count);
    list.pushChunk(chunk);
    list.removeAll(ordinals);
    if (list.count < chunk.count) {
      deleteChunk(db, { ...key, firstOrdinal: chunk.firstOrdinal });
      for (const rest of list.toChunks()) writeChunk(db, key, rest);
    }
    highest = Math.max(-1, ...[...ordinals].filter((ordinal) => ordinal < chunk.firstOrdinal));
  }
}

function appendPostings(db: Queries, key: { partitionId: number; term: string }, added: PostingList): void {
  const last = lastChunkUpTo(db, { ...key, ordinal: Number.MAX_SAFE_INTEGER });
  if (!last || last.count >= CHUNK_POSTINGS) {
    for (const chunk of added.toChunks()) writeChunk(db, key, chunk);
    return;
  }
  const merged = new PostingList(last.count + added.count);
  merged.pushChunk(last);
  for (let index = 0; index < added.count; index++) merged.push(added.ordinals[index]!, added.frequencies[index]!);
  for (const chunk of merged.toChunks()) writeChunk(db, key, chunk);
}

function lastChunkUpTo(
  db: Queries,
  at: { partitionId: number; term: string; ordinal: number },
): PostingChunk | undefined {
  return db.get<PostingChunk>(
    `SELECT first_ordinal AS firstOrdinal, count, bytes FROM text_postings
     WHERE partition_id = ? AND term = ? AND first_ordinal <= ? ORDER BY first_ordinal DESC LIMIT 1`,
    at.partitionId,
    at.term,
    at.ordinal,
  );
}

function writeChunk(db: Queries, key: { partitionId: number; term: string }, chunk: PostingChunk): void {
  db.run(
    'INSERT OR REPLACE INTO text_postings (partition_id, term, first_ordinal, count, bytes) VALUES (?, ?, ?, ?, ?)',
    key.partitionId,
    key.term,
    chunk.firstOrdinal,
    chunk.count,
    chunk.bytes,
  );
}

function deleteChunk(db: Queries, key: { partitionId: number; term: string; firstOrdinal: number }): void {
  db.run(
    'DELETE FROM text_postings WHERE partition_id = ? AND term = ? AND first_ordinal = ?',
    key.partitionId,
    key.term,
    key.firstOrdinal,
  );
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
