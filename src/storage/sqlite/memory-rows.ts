/** Rows of `memories` to objects and back; the only place that knows the columns. */
import type { Json, NewMemory, StoredMemory } from '../memory-store.ts';
import type { Scope } from '../scope.ts';
import { encodeTerms, lengthOf } from '../text-index/document-terms.ts';
import { storedList, storedObject } from './stored-json.ts';

export const MEMORY_COLUMNS = `m.id, m.ordinal, m.text, m.tags, m.metadata, m.importance, m.created_at_ms, m.at_ms,
  m.valid_from_ms, m.valid_to_ms, m.expires_at_ms, m.pinned, m.source, m.model, coalesce(u.uses, 0) AS uses, u.last_used_at_ms,
  (SELECT name FROM partition_names WHERE id = m.session_id) AS session,
  (SELECT name FROM partition_names WHERE id = m.speaker_id) AS speaker`;

/** What `MEMORY_COLUMNS` are columns of. */
export const MEMORIES = 'memories m LEFT JOIN memory_uses u ON u.sequence = m.sequence';

export interface MemoryRow {
  readonly id: string;
  readonly ordinal: number;
  readonly text: string;
  readonly tags: string;
  readonly metadata: string;
  readonly importance: number;
  readonly created_at_ms: number;
  readonly at_ms: number;
  readonly valid_from_ms: number | null;
  readonly valid_to_ms: number | null;
  readonly expires_at_ms: number | null;
  readonly pinned: number;
  readonly source: string | null;
  readonly model: string | null;
  readonly session: string | null;
  readonly speaker: string | null;
  readonly uses: number;
  readonly last_used_at_ms: number | null;
}

export function memoryOf(row: MemoryRow, partition: Scope): StoredMemory & { ordinal: number } {
  const { tenant, agent, user } = partition;
  return {
    id: row.id,
    scope: {
      tenant,
      ...(agent === undefined ? {} : { agent }),
      ...(user === undefined ? {} : { user }),
      ...(row.session === null ? {} : { session: row.session }),
    },
    text: row.text,
    tags: storedList<string>(row.tags),
    metadata: storedObject<Record<string, Json>>(row.metadata),
    importance: row.importance,
    createdAtMs: row.created_at_ms,
    atMs: row.at_ms,
    validFromMs: row.valid_from_ms,
    validToMs: row.valid_to_ms,
    expiresAtMs: row.expires_at_ms,
    pinned: row.pinned === 1,
    source: row.source,
    speaker: row.speaker,
    model: row.model,
    uses: row.uses,
    lastUsedAtMs: row.last_used_at_ms,
    ordinal: row.ordinal,
  };
}

export const INSERT_MEMORY = `INSERT INTO memories (id, partition_id, ordinal, text, tags, metadata, importance,
  created_at_ms, at_ms, valid_from_ms, valid_to_ms, expires_at_ms, pinned, source, session_id, speaker_id, length, terms, model)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export interface Placement {
  readonly partitionId: number;
  readonly ordinal: number;
  readonly sessionId: number | null;
  readonly speakerId: number | null;
}

/** The parameters of `INSERT_MEMORY`. */
export function insertParameters(item: NewMemory, placement: Placement): (string | number | null | Uint8Array)[] {
  const { memory, terms } = item;
  return [
    memory.id,
    placement.partitionId,
    placement.ordinal,
    memory.text,
    JSON.stringify(memory.tags),
    JSON.stringify(memory.metadata),
    memory.importance,
    memory.createdAtMs,
    memory.atMs,
    memory.validFromMs,
    memory.validToMs,
    memory.expiresAtMs,
    memory.pinned ? 1 : 0,
    memory.source,
    placement.sessionId,
    placement.speakerId,
    lengthOf(terms),
    encodeTerms(terms),
    memory.model,
  ];
}
