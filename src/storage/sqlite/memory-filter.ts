/** The conditions of a `MemoryFilter` as SQL over `memories m`, so that every way to a memory applies the same ones. */
import type { MemoryFilter } from '../memory-store.ts';

export interface Condition {
  /** Begins with AND. */
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
}

export function conditionOf(filter: MemoryFilter): Condition {
  const parts = [
    'AND (m.expires_at_ms IS NULL OR m.expires_at_ms > ?)',
    'AND (m.valid_from_ms IS NULL OR m.valid_from_ms <= ?)',
    'AND (m.valid_to_ms IS NULL OR m.valid_to_ms > ?)',
  ];
  const parameters: (string | number)[] = [filter.asOfMs, filter.asOfMs, filter.asOfMs];
  const add = (sql: string, value: string | number | undefined) => {
    if (value === undefined) return;
    parts.push(sql);
    parameters.push(value);
  };
  add('AND m.at_ms >= ?', filter.fromMs);
  add('AND m.at_ms < ?', filter.toMs);
  add('AND m.importance >= ?', filter.minImportance);
  if (filter.session !== undefined) {
    const inSession = sessionCondition(filter.session);
    parts.push(inSession.sql);
    parameters.push(...inSession.parameters);
  }
  for (const tag of filter.tags ?? []) {
    add(
      'AND EXISTS (SELECT 1 FROM memory_tags t WHERE t.partition_id = m.partition_id AND t.tag = ? AND t.ordinal = m.ordinal)',
      tag,
    );
  }
  return { sql: parts.join(' '), parameters };
}

export function sessionCondition(session: string): Condition {
  return {
    sql: `AND m.session_id = (SELECT n.id FROM partition_names n
      WHERE n.partition_id = m.partition_id AND n.kind = 'session' AND n.name = ?)`,
    parameters: [session],
  };
}
