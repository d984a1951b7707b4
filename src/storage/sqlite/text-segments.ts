/**
 * Segments of the text index and their blocks as rows, always inside somebody's transaction.
 *
 * What is indexed together becomes one segment of level 0, written once and in order. When `FAN_IN` neighbours of a level have
 * gathered they are merged into one of the next, a bounded number of blocks in each transaction. A block that has moved is gone
 * from where it was, so at every moment each posting stands in exactly one segment and readers need not know that a merge is under
 * way; a crash leaves it to whoever comes next. So a posting is written once for each level, sequentially, and a question looks into
 * fewer than `FAN_IN` segments of each level. The scheme is that of log-structured merge trees (O'Neil et al., 1996).
 */
import { type Block, placeOf, postingsOf } from '../text-index/block.ts';
import { mergeBlocks } from '../text-index/merge-blocks.ts';
import type { PostingList } from '../text-index/postings.ts';
import { removeFromBlock } from '../text-index/remove-from-block.ts';
import { keyBytes, keyOfBytes } from '../text-index/term-key.ts';
import type { Queries, SqlValue } from './queries.ts';

/** Segments of one level that become one of the next. */
export const FAN_IN = 8;

/** Blocks read of each segment in one step of a merge. A step takes a few milliseconds. */
const BLOCKS_AT_ONCE = 4;

const LAST_ORDINAL = 0xffff_ffff;

interface SegmentRow {
  readonly id: number;
  readonly first_ordinal: number;
  readonly next_ordinal: number;
  readonly level: number;
  readonly merging_into: number | null;
}

interface BlockRow {
  readonly id: number;
  readonly first_place: Uint8Array;
  readonly bytes: Uint8Array;
}

/** The documents from `firstOrdinal` to before `nextOrdinal` of a partition. */
export interface Span {
  readonly partitionId: number;
  readonly firstOrdinal: number;
  readonly nextOrdinal: number;
}

export function addSegment(db: Queries, span: Span, content: { level: number; blocks: readonly Block[] }): number {
  const { lastInsertRowid } = db.run(
    'INSERT INTO text_segments (partition_id, first_ordinal, next_ordinal, level) VALUES (?, ?, ?, ?)',
    span.partitionId,
    span.firstOrdinal,
    span.nextOrdinal,
    content.level,
  );
  addBlocks(db, lastInsertRowid, content.blocks);
  return lastInsertRowid;
}

function addBlocks(db: Queries, segmentId: number, blocks: readonly Block[]): void {
  for (const { firstPlace, bytes } of blocks) {
    db.run(
      'INSERT INTO text_blocks (segment_id, first_place, bytes) VALUES (?, ?, ?)',
      segmentId,
      keyBytes(firstPlace),
      bytes,
    );
  }
}

/** The postings of a term's key in a whole partition; of a merge, what has moved comes before what has not. */
export function readPostings(db: Queries, partitionId: number, term: string): PostingList {
  const rows = db.all<BlockRow>(
    `SELECT b.bytes FROM text_segments s JOIN text_blocks b ON ${holdsTerm('b.segment_id = s.id')}
     WHERE s.partition_id = ?3 ORDER BY s.first_ordinal, s.level DESC, b.first_place`,
    ...placesOfTerm(term),
    partitionId,
  );
  return postingsOf(
    term,
    rows.map(({ bytes }) => bytes),
  );
}

/** That a block may hold pieces between the places ?1 and ?2: it begins at or before ?2, and it or the next begins after ?1. */
function holdsTerm(ofSegment: string): string {
  return `${ofSegment} AND b.first_place <= ?2 AND b.first_place >= coalesce(
    (SELECT max(first_place) FROM text_blocks WHERE segment_id = b.segment_id AND first_place <= ?1), x'')`;
}

function placesOfTerm(term: string): [SqlValue, SqlValue] {
  return [keyBytes(placeOf(term, 0)), keyBytes(placeOf(term, LAST_ORDINAL))];
}

/** Takes documents out of the postings of their terms. */
export function removePostings(
  db: Queries,
  partitionId: number,
  ordinalsByTerm: ReadonlyMap<string, ReadonlySet<number>>,
): void {
  const ordinals = [...ordinalsByTerm.values()].flatMap((set) => [...set]);
  const segments = db.all<{ id: number }>(
    'SELECT id FROM text_segments WHERE partition_id = ? AND first_ordinal <= ? AND next_ordinal > ?',
    partitionId,
    ordinals.reduce((highest, ordinal) => Math.max(highest, ordinal), 0),
    ordinals.reduce((lowest, ordinal) => Math.min(lowest, ordinal), LAST_ORDINAL),
  );
  for (const { id } of segments) {
    const blocks = new Map<number, BlockRow>();
    for (const term of ordinalsByTerm.keys()) {
      for (const row of db.all<BlockRow>(
        `SELECT b.id, b.first_place, b.bytes FROM text_blocks b WHERE ${holdsTerm('b.segment_id = ?3')}`,
        ...placesOfTerm(term),
        id,
      )) {
        blocks.set(row.id, row);
      }
    }
    for (const row of blocks.values()) {
      const left = removeFromBlock(row.bytes, ordinalsByTerm);
      if (!left) continue;
      db.run('DELETE FROM text_blocks WHERE id = ?', row.id);
      addBlocks(db, id, left);
    }
  }
}

/** Whether `mergeSegments` would do something. Looks at the newest level only: the others grow by merges, which look at all. */
export function isMergeDue(db: Queries, partitionId: number): boolean {
  const newest = db.get<{ count: number }>(
    'SELECT count(*) AS count FROM text_segments WHERE partition_id = ? AND level = 0',
    partitionId,
  );
  return newest !== undefined && newest.count >= FAN_IN;
}

/** Does one step of a merge, if one is due or under way; false when there was none. */
export function mergeSegments(db: Queries, partitionId: number): boolean {
  const segments = db.all<SegmentRow>(
    `SELECT id, first_ordinal, next_ordinal, level, merging_into FROM text_segments WHERE partition_id = ?
     ORDER BY first_ordinal, level DESC`,
    partitionId,
  );
  const sources = segments.filter(({ merging_into }) => merging_into !== null);
  const target = sources[0]?.merging_into ?? beginMerge(db, partitionId, segments);
  if (target === null) return false;
  if (sources.length > 0) mergeStep(db, sources, target);
  return true;
}

/** Finds `FAN_IN` neighbours of one level, the lowest first, and marks them; null when there are none. */
function beginMerge(db: Queries, partitionId: number, segments: readonly SegmentRow[]): number | null {
  for (let level = 0; level <= Math.max(...segments.map((segment) => segment.level), -1); level++) {
    const sources = segments.filter((segment) => segment.level === level).slice(0, FAN_IN);
    if (sources.length < FAN_IN) continue;
    const span = {
      partitionId,
      firstOrdinal: sources[0]!.first_ordinal,
      nextOrdinal: sources.at(-1)!.next_ordinal,
    };
    const target = addSegment(db, span, { level: level + 1, blocks: [] });
    for (const { id } of sources) db.run('UPDATE text_segments SET merging_into = ? WHERE id = ?', target, id);
    return target;
  }
  return null;
}

function mergeStep(db: Queries, segments: readonly SegmentRow[], target: number): void {
  const sources = segments.flatMap(({ id }) => {
    const rows = db.all<BlockRow>(
      'SELECT id, first_place, bytes FROM text_blocks WHERE segment_id = ? ORDER BY first_place LIMIT ?',
      id,
      BLOCKS_AT_ONCE + 1,
    );
    // Nothing is left of it: its place in the order is the target's now.
    if (rows.length === 0) db.run('DELETE FROM text_segments WHERE id = ?', id);
    return rows.length === 0
      ? []
      : [{ id, rows: rows.slice(0, BLOCKS_AT_ONCE), complete: rows.length <= BLOCKS_AT_ONCE }];
  });
  if (sources.length === 0) return;
  const step = mergeBlocks(
    sources.map(({ rows, complete }) => ({
      blocks: rows.map(({ first_place, bytes }) => ({ firstPlace: keyOfBytes(first_place), bytes })),
      complete,
    })),
  );
  for (const [index, { blocks, rest }] of step.used.entries()) {
    const { id, rows } = sources[index]!;
    for (const row of rows.slice(0, blocks)) db.run('DELETE FROM text_blocks WHERE id = ?', row.id);
    addBlocks(db, id, rest);
  }
  addBlocks(db, target, step.moved);
}
