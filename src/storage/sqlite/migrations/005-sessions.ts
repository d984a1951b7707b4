/**
 * Sessions: one narrow row each, its value and its items beside it.
 *
 * SQLite writes a row as a whole, with all its overflow pages. So what changes with every use (version, expiry) is not in the row of the
 * value, and an appended item is a row of its own: a turn of a conversation of 200 KB writes some pages instead of fifty. Items have a
 * rowid, so those that are written together, of whichever session, stand on one page. Positions count from the first item ever appended;
 * `first_item` is the first that still counts. `form` is 0 for bytes as they were handed in, 1 for deflated ones. `session_totals` is
 * kept by triggers, so that whoever counts need not walk; `past_version` is the highest version of a session that is gone, above which new
 * ones begin.
 */
export const sessions = {
  number: 5,
  name: 'sessions',
  sql: `
    CREATE TABLE sessions (
      key INTEGER PRIMARY KEY,
      pool TEXT NOT NULL,
      id TEXT NOT NULL,
      owner TEXT,
      version INTEGER NOT NULL,
      stored_bytes INTEGER NOT NULL,
      first_item INTEGER NOT NULL,
      next_item INTEGER NOT NULL,
      created_at_ms INTEGER NOT NULL,
      used_at_ms INTEGER NOT NULL,
      ttl_ms INTEGER NOT NULL,
      expires_at_ms INTEGER NOT NULL,
      UNIQUE (pool, id)
    ) STRICT;

    CREATE INDEX sessions_by_expiry ON sessions (pool, expires_at_ms);
    CREATE INDEX sessions_by_owner ON sessions (pool, owner) WHERE owner IS NOT NULL;

    CREATE TABLE session_values (
      session_key INTEGER PRIMARY KEY REFERENCES sessions (key) ON DELETE CASCADE,
      form INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;

    CREATE TABLE session_items (
      key INTEGER PRIMARY KEY,
      session_key INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      count INTEGER NOT NULL,
      form INTEGER NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;

    CREATE UNIQUE INDEX session_items_in_order ON session_items (session_key, position);

    CREATE TABLE session_totals (
      pool TEXT PRIMARY KEY,
      sessions INTEGER NOT NULL,
      bytes INTEGER NOT NULL,
      past_version INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    CREATE TRIGGER session_added AFTER INSERT ON sessions BEGIN
      INSERT INTO session_totals (pool, sessions, bytes) VALUES (new.pool, 1, new.stored_bytes)
        ON CONFLICT (pool) DO UPDATE SET sessions = sessions + 1, bytes = bytes + excluded.bytes;
    END;

    CREATE TRIGGER session_resized AFTER UPDATE OF stored_bytes ON sessions BEGIN
      UPDATE session_totals SET bytes = bytes + new.stored_bytes - old.stored_bytes WHERE pool = new.pool;
    END;

    CREATE TRIGGER session_removed AFTER DELETE ON sessions BEGIN
      UPDATE session_totals SET sessions = sessions - 1, bytes = bytes - old.stored_bytes,
        past_version = max(past_version, old.version) WHERE pool = old.pool;
    END;

    CREATE TRIGGER session_renamed AFTER UPDATE OF id ON sessions BEGIN
      UPDATE session_totals SET past_version = max(past_version, old.version) WHERE pool = old.pool;
    END;
  `,
} as const;
