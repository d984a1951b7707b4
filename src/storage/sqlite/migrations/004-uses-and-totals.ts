/**
 * What changes often leaves the wide rows.
 *
 * `memory_uses` takes the counts of use out of `memories`, where one count rewrote a text, its terms and their overflow pages. `memory_totals`
 * is one row that triggers keep with the partitions, so that whoever counts need not walk through them. `model` names the model that made a
 * memory's vectors. `figures` holds what else a reading measured, by name (`reading-store.ts`).
 */
export const usesAndTotals = {
  number: 4,
  name: 'uses and totals',
  sql: `
    CREATE TABLE memory_uses (
      sequence INTEGER PRIMARY KEY REFERENCES memories (sequence) ON DELETE CASCADE,
      uses INTEGER NOT NULL,
      last_used_at_ms INTEGER NOT NULL
    ) STRICT;

    INSERT INTO memory_uses (sequence, uses, last_used_at_ms)
      SELECT sequence, uses, coalesce(last_used_at_ms, 0) FROM memories WHERE uses > 0;

    ALTER TABLE memories DROP COLUMN uses;
    ALTER TABLE memories DROP COLUMN last_used_at_ms;
    ALTER TABLE memories ADD COLUMN model TEXT;

    CREATE TABLE memory_totals (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      memories INTEGER NOT NULL,
      scopes INTEGER NOT NULL
    ) STRICT;

    INSERT INTO memory_totals (id, memories, scopes)
      SELECT 1, coalesce(sum(live_documents), 0), count(*) FROM partitions WHERE live_documents > 0;

    CREATE TRIGGER partition_added AFTER INSERT ON partitions BEGIN
      UPDATE memory_totals SET memories = memories + new.live_documents, scopes = scopes + (new.live_documents > 0);
    END;

    CREATE TRIGGER partition_counted AFTER UPDATE OF live_documents ON partitions BEGIN
      UPDATE memory_totals SET memories = memories + new.live_documents - old.live_documents,
        scopes = scopes + (new.live_documents > 0) - (old.live_documents > 0);
    END;

    CREATE TRIGGER partition_removed AFTER DELETE ON partitions BEGIN
      UPDATE memory_totals SET memories = memories - old.live_documents, scopes = scopes - (old.live_documents > 0);
    END;

    ALTER TABLE readings ADD COLUMN figures TEXT NOT NULL DEFAULT '{}';
  `,
} as const;
