/**
 * What a write does to the rows of memories, inside somebody's transaction: inserting a batch, removing a bounded slice.
 */
import { invariant } from '../../base/assert.ts';
import type { NewMemory } from '../memory-store.ts';
import type { Scope } from '../scope.ts';
import { decodeTerms, lengthOf } from '../text-index/document-terms.ts';
import type { Condition } from './memory-filter.ts';
import { INSERT_MEMORY, insertParameters } from './memory-rows.ts';
import type { PartitionState } from './partition-cache.ts';
import type { Queries } from './queries.ts';
import { type Backlog, indexAtOnce, isCrowded, type NewDocument, removeIndexed } from './text-indexer.ts';
import { isMergeDue } from './text-segments.ts';

interface RemovableRow {
  readonly sequence: number;
  readonly ordinal: number;
  readonly length: number;
  readonly terms: Uint8Array;
}

const REMOVABLE = 'm.sequence, m.ordinal, m.length, m.terms';
/** Rows removed in one transaction, and the terms they hold together. */
const ROWS_AT_ONCE = 128;
const TERMS_AT_ONCE = 2_000;

/** The partition of a scope; undefined while nothing has been kept in it. */
export function findPartition(db: Queries, scope: Scope): PartitionState | undefined {
  return db.get<PartitionState>(
    `SELECT id, next_ordinal, indexed_ordinals, waiting_terms, epoch FROM partitions WHERE tenant = ? AND agent = ? AND user = ?`,
    scope.tenant,
    scope.agent ?? '',
    scope.user ?? '',
  );
}

/** Inserts all; returns the partitions in which there is now something to index, or to merge. */
export function insertAll(db: Queries, items: readonly NewMemory[]): number[] {
  const busy: number[] = [];
  for (const group of byPartition(items)) {
    const partition = reserveOrdinals(db, group);
    const names = new Map<string, number>();
    const idOf = (kind: 'session' | 'speaker', name: string | null | undefined): number | null => {
      if (name === null || name === undefined) return null;
      const key = `${kind} ${name}`;
      const id = names.get(key) ?? nameId(db, { partitionId: partition.id, kind, name });
      names.set(key, id);
      return id;
    };
    const firstOrdinal = partition.next_ordinal - group.length;
    const documents: NewDocument[] = [];
    for (const [index, item] of group.entries()) {
      const ordinal = firstOrdinal + index;
      const { memory, terms } = item;
      const sessionId = idOf('session', memory.scope.session);
      const speakerId = idOf('speaker', memory.speaker);
      documents.push({ ordinal, terms, length: lengthOf(terms), sessionId: sessionId ?? 0, speakerId: speakerId ?? 0 });
      db.run(INSERT_MEMORY, ...insertParameters(item, { partitionId: partition.id, ordinal, sessionId, speakerId }));
      for (const tag of memory.tags) {
        db.run('INSERT INTO memory_tags (partition_id, tag, ordinal) VALUES (?, ?, ?)', partition.id, tag, ordinal);
      }
    }
    if (firstOrdinal === partition.indexed_ordinals && indexAtOnce(db, partition.id, documents)) {
      if (isMergeDue(db, partition.id)) busy.push(partition.id);
    } else if (isCrowded(partition)) busy.push(partition.id);
  }
  return busy;
}

/** The items of each partition, in their order. */
function byPartition(items: readonly NewMemory[]): Iterable<readonly NewMemory[]> {
  const groups = new Map<string, NewMemory[]>();
  for (const item of items) {
    const { tenant, agent = '', user = '' } = item.memory.scope;
    const key = JSON.stringify([tenant, agent, user]);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups.values();
}

/** Counts the memories of a group into their partition; its ordinals end right before `next_ordinal`. */
function reserveOrdinals(db: Queries, group: readonly NewMemory[]): Backlog & { id: number } {
  const { tenant, agent = '', user = '' } = group[0]!.memory.scope;
  const sum = (count: (item: NewMemory) => number) => group.reduce((total, item) => total + count(item), 0);
  const partition = db.get<Backlog & { id: number }>(
    `INSERT INTO partitions (tenant, agent, user, next_ordinal, live_documents, total_length, waiting_terms)
     VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
     ON CONFLICT (tenant, agent, user) DO UPDATE SET next_ordinal = next_ordinal + ?4,
       live_documents = live_documents + ?4, total_length = total_length + ?5, waiting_terms = waiting_terms + ?6
     RETURNING id, next_ordinal, indexed_ordinals, waiting_terms`,
    tenant,
    agent,
    user,
    group.length,
    sum(({ terms }) => lengthOf(terms)),
    sum(({ terms }) => terms.size),
  );
  invariant(partition, 'an upsert returns its row');
  return partition;
}

function nameId(db: Queries, wanted: { partitionId: number; kind: 'session' | 'speaker'; name: string }): number {
  const known = db.get<{ id: number }>(
    'SELECT id FROM partition_names WHERE partition_id = ? AND kind = ? AND name = ?',
    wanted.partitionId,
    wanted.kind,
    wanted.name,
  );
  if (known) return known.id;
  const added = db.get<{ id: number }>(
    'INSERT INTO partition_names (partition_id, kind, name) VALUES (?, ?, ?) RETURNING id',
    wanted.partitionId,
    wanted.kind,
    wanted.name,
  );
  invariant(added, 'an insert returns its row');
  return added.id;
}

/** Removes some of the rows that meet a condition, with everything the index knows of them; tells whether there are more. */
export function removeSlice(db: Queries, scope: Scope, which: Condition): { removed: number; more: boolean } {
  const partition = findPartition(db, scope);
  if (!partition) return { removed: 0, more: false };
  const sums = { rows: 0, length: 0, waitingTerms: 0, terms: 0 };
  const indexed: { ordinal: number; terms: string[] }[] = [];
  const rows = db.all<RemovableRow>(
    `SELECT ${REMOVABLE} FROM memories m WHERE m.partition_id = ? AND ${which.sql} ORDER BY m.ordinal LIMIT ?`,
    partition.id,
    ...which.parameters,
    ROWS_AT_ONCE + 1,
  );
  for (const row of rows) {
    const terms = [...decodeTerms(row.terms).keys()];
    if (sums.rows === ROWS_AT_ONCE || (sums.rows > 0 && sums.terms + terms.length > TERMS_AT_ONCE)) break;
    if (row.ordinal < partition.indexed_ordinals) indexed.push({ ordinal: row.ordinal, terms });
    else sums.waitingTerms += terms.length;
    sums.rows++;
    sums.length += row.length;
    sums.terms += terms.length;
    db.run('DELETE FROM memory_tags WHERE partition_id = ? AND ordinal = ?', partition.id, row.ordinal);
    db.run('DELETE FROM memories WHERE sequence = ?', row.sequence);
  }
  if (sums.rows === 0) return { removed: 0, more: false };
  removeIndexed(db, partition.id, indexed);
  db.run(
    `UPDATE partitions SET live_documents = live_documents - ?, total_length = total_length - ?,
       waiting_terms = waiting_terms - ?, epoch = epoch + 1 WHERE id = ?`,
    sums.rows,
    sums.length,
    sums.waitingTerms,
    partition.id,
  );
  return { removed: sums.rows, more: sums.rows < rows.length };
}
