/**
 * Long-term memories and their full-text index.
 *
 * A partition is one (tenant, agent, user); absent parts are stored as '' (no id is ever empty), so the unique key sees
 * them. Ordinals number the documents of a partition in order of arrival and are never reused. Ordinals below
 * `indexed_ordinals` are in `text_postings` and `text_documents`; the rest are found by their row's `terms` (`waiting_terms`
 * of them together), and moved over in batches. `epoch` counts removals: whoever caches a partition's documents compares it.
 */
export const memories = {
  number: 2,
  name: 'memories',
  sql: `
    CREATE TABLE partitions (
      id INTEGER PRIMARY KEY,
      tenant TEXT NOT NULL,
      agent TEXT NOT NULL,
      user TEXT NOT NULL,
      next_ordinal INTEGER NOT NULL DEFAULT 0,
      indexed_ordinals INTEGER NOT NULL DEFAULT 0,
      waiting_terms INTEGER NOT NULL DEFAULT 0,
      live_documents INTEGER NOT NULL DEFAULT 0,
      total_length INTEGER NOT NULL DEFAULT 0,
      epoch INTEGER NOT NULL DEFAULT 0,
      UNIQUE (tenant, agent, user)
    ) STRICT;

    CREATE TABLE partition_names (
      id INTEGER PRIMARY KEY,
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      kind TEXT NOT NULL CHECK (kind IN ('session', 'speaker')),
      name TEXT NOT NULL,
      UNIQUE (partition_id, kind, name)
    ) STRICT;

    CREATE INDEX partition_names_by_id ON partition_names (partition_id, id);

    CREATE TABLE memories (
      sequence INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      ordinal INTEGER NOT NULL,
      text TEXT NOT NULL,
      tags TEXT NOT NULL,
      metadata TEXT NOT NULL,
      importance REAL NOT NULL,
      created_at_ms INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      valid_from_ms INTEGER,
      valid_to_ms INTEGER,
      expires_at_ms INTEGER,
      pinned INTEGER NOT NULL,
      source TEXT,
      session_id INTEGER REFERENCES partition_names (id),
      speaker_id INTEGER REFERENCES partition_names (id),
      length INTEGER NOT NULL,
      terms BLOB NOT NULL,
      uses INTEGER NOT NULL DEFAULT 0,
      last_used_at_ms INTEGER,
      UNIQUE (partition_id, ordinal)
    ) STRICT;

    CREATE INDEX memories_by_source ON memories (partition_id, source) WHERE source IS NOT NULL;

    CREATE TABLE memory_tags (
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      tag TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      PRIMARY KEY (partition_id, tag, ordinal)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE text_postings (
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      term TEXT NOT NULL,
      first_ordinal INTEGER NOT NULL,
      count INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (partition_id, term, first_ordinal)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE text_documents (
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      first_ordinal INTEGER NOT NULL,
      count INTEGER NOT NULL,
      bytes BLOB NOT NULL,
      PRIMARY KEY (partition_id, first_ordinal)
    ) STRICT, WITHOUT ROWID;
  `,
} as const;
