/**
 * Embeddings kept between runs: vectors as float32, little endian.
 *
 * `used_at_ms` moves at most once an hour for each row, so that reading does not mean writing. `embedding_totals` is one row that triggers
 * keep, so that the bound is known without counting.
 */
export const embeddings = {
  number: 6,
  name: 'embeddings',
  sql: `
    CREATE TABLE embeddings (
      id INTEGER PRIMARY KEY,
      model TEXT NOT NULL,
      text_hash TEXT NOT NULL,
      vector BLOB NOT NULL,
      used_at_ms INTEGER NOT NULL,
      UNIQUE (model, text_hash)
    ) STRICT;

    CREATE INDEX embeddings_by_use ON embeddings (used_at_ms);

    CREATE TABLE embedding_totals (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      embeddings INTEGER NOT NULL,
      bytes INTEGER NOT NULL
    ) STRICT;

    INSERT INTO embedding_totals (id, embeddings, bytes) VALUES (1, 0, 0);

    CREATE TRIGGER embedding_added AFTER INSERT ON embeddings BEGIN
      UPDATE embedding_totals SET embeddings = embeddings + 1, bytes = bytes + length(new.vector);
    END;

    CREATE TRIGGER embedding_changed AFTER UPDATE OF vector ON embeddings BEGIN
      UPDATE embedding_totals SET bytes = bytes + length(new.vector) - length(old.vector);
    END;

    CREATE TRIGGER embedding_removed AFTER DELETE ON embeddings BEGIN
      UPDATE embedding_totals SET embeddings = embeddings - 1, bytes = bytes - length(old.vector);
    END;
  `,
} as const;
