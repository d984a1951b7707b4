/**
 * Sessions in SQLite: the adapter of the `SessionStore` port.
 *
 * Comparing and setting a version is one transaction of the database's write queue: writes of a process commit in groups, and the lock of
 * the file keeps other processes out meanwhile. `changeMark` is SQLite's `data_version`, which tells whether another connection has
 * committed: some microseconds, for all sessions together.
 */
import type {
  NewSession,
  SessionAppend,
  SessionAppended,
  SessionPage,
  SessionRecord,
  SessionStore,
  SessionTotals,
  SessionTouch,
  SessionWrite,
  SessionWritten,
  StoredBytes,
  StoredItems,
  StoredSession,
} from '../session-store.ts';
import type { SqliteDatabase } from './connection.ts';
import type { Queries } from './queries.ts';
import { formOf, formRank, RECORD_COLUMNS, recordOf, type SessionRow } from './session-rows.ts';
import { DamagedRowError } from './sqlite-errors.ts';

/** A session's end is worth writing when it has moved by this share of its life. */
const MOVED_SHARE = 1 / 100;
/** Sessions removed in one transaction. */
const REMOVED_AT_ONCE = 500;

export class SqliteSessionStore implements SessionStore {
  readonly #database: SqliteDatabase;
  readonly #pool: string;

  /** `pool` names the sessions: pools of other names in the same file are apart. */
  constructor(database: SqliteDatabase, options: { pool: string }) {
    this.#database = database;
    this.#pool = options.pool;
  }

  async read(id: string, nowMs: number): Promise<StoredSession | null> {
    return this.#database.read((db) => {
      const row = this.#find(db, id);
      if (!row || row.expires_at_ms <= nowMs) return null;
      const value = db.get<{ form: number; bytes: Uint8Array }>(
        'SELECT form, bytes FROM session_values WHERE session_key = ?',
        row.key,
      );
      if (!value) throw new DamagedRowError('a session has no value');
      const items = db.all<{ position: number; count: number; form: number; bytes: Uint8Array }>(
        'SELECT position, count, form, bytes FROM session_items WHERE session_key = ? ORDER BY position',
        row.key,
      );
      return {
        ...recordOf(row),
        value: { form: formOf(value.form), bytes: value.bytes },
        items: items.map(({ count, form, bytes }) => ({ count, form: formOf(form), bytes })),
        droppedItems: items.length === 0 ? 0 : row.first_item - items[0]!.position,
      };
    });
  }

  async readLast({ id, count, nowMs }: { id: string; count: number; nowMs: number }) {
    return this.#database.read((db) => {
      const row = this.#find(db, id);
      if (!row || row.expires_at_ms <= nowMs) return null;
      const from = Math.max(row.first_item, row.next_item - count);
      // No chunk is empty, so there are at most `count` of them, and as many as that are looked at.
      const items = db
        .all<{ position: number; count: number; form: number; bytes: Uint8Array }>(
          `SELECT position, count, form, bytes FROM session_items WHERE session_key = ? ORDER BY position DESC LIMIT ?`,
          ...[row.key, row.next_item - from],
        )
        .filter((chunk) => chunk.position + chunk.count > from)
        .reverse();
      return {
        ...recordOf(row),
        items: items.map((chunk) => ({ count: chunk.count, form: formOf(chunk.form), bytes: chunk.bytes })),
        droppedItems: items.length === 0 ? 0 : from - items[0]!.position,
      };
    });
  }

  async versionOf(id: string): Promise<number | null> {
    return this.#database.read((db) => this.#versionOf(db, id));
  }

  async changeMark(): Promise<number> {
    return this.#database.read((db) => db.get<{ data_version: number }>('PRAGMA data_version')!.data_version);
  }

  create(session: NewSession, signal?: AbortSignal): Promise<SessionWritten> {
    const { id, owner, value, items, nowMs, ttlMs } = session;
    return this.#write((db) => {
      const found = this.#find(db, id);
      if (found && found.expires_at_ms > nowMs) return { isWritten: false, version: found.version };
      if (found) db.run('DELETE FROM sessions WHERE key = ?', found.key);
      const past = db.get<{ past_version: number }>(
        'SELECT past_version FROM session_totals WHERE pool = ?',
        this.#pool,
      );
      const version = (past?.past_version ?? 0) + 1;
      const storedBytes = value.bytes.byteLength + (items?.bytes.byteLength ?? 0);
      const { lastInsertRowid: key } = db.run(
        `INSERT INTO sessions (pool, id, owner, version, stored_bytes, first_item, next_item, created_at_ms, used_at_ms, ttl_ms,
           expires_at_ms) VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?)`,
        ...[this.#pool, id, owner, version, storedBytes, items?.count ?? 0, nowMs, nowMs, ttlMs, nowMs + ttlMs],
      );
      setValue(db, key, value);
      if (items) addItems(db, { key, position: 0, items });
      return { isWritten: true, version, storedBytes };
    }, signal);
  }

  write(write: SessionWrite, signal?: AbortSignal): Promise<SessionWritten> {
    const { id, fromVersion, version, value, append, keepLast, touch } = write;
    return this.#write((db) => {
      const row = this.#find(db, id);
      if (row?.version !== fromVersion) return { isWritten: false, version: row?.version ?? null };
      const { key } = row;
      let storedBytes = row.stored_bytes;
      if (value) storedBytes += value.bytes.byteLength - replaceValue(db, key, value);
      let nextItem = row.next_item;
      if (append) {
        addItems(db, { key, position: nextItem, items: append });
        nextItem += append.count;
        storedBytes += append.bytes.byteLength;
      }
      const firstItem = Math.max(row.first_item, keepLast === undefined ? 0 : nextItem - keepLast);
      if (firstItem > row.first_item) storedBytes -= dropItems(db, key, firstItem);
      db.run(
        'UPDATE sessions SET version = ?, stored_bytes = ?, first_item = ?, next_item = ? WHERE key = ?',
        ...[version, storedBytes, firstItem, nextItem, key],
      );
      if (touch) this.#touch(db, { id, ...touch });
      return { isWritten: true, version, storedBytes };
    }, signal);
  }

  append({ id, items, nowMs, isRolling, maxBytes }: SessionAppend, signal?: AbortSignal): Promise<SessionAppended> {
    return this.#database.write(
      (db) => {
        const row = this.#find(db, id);
        if (!row || row.expires_at_ms <= nowMs) return { isWritten: false, storedBytes: null };
        const { key, next_item: position, ttl_ms: ttlMs } = row;
        const storedBytes = row.stored_bytes + items.bytes.byteLength;
        if (storedBytes > maxBytes) return { isWritten: false, storedBytes };
        addItems(db, { key, position, items });
        const version = row.version + 1;
        db.run(
          'UPDATE sessions SET version = ?, stored_bytes = ?, next_item = ? WHERE key = ?',
          ...[version, storedBytes, position + items.count, key],
        );
        const expiresAtMs = nowMs + ttlMs;
        if (isRolling && Math.abs(expiresAtMs - row.expires_at_ms) >= ttlMs * MOVED_SHARE) {
          this.#touch(db, { id, usedAtMs: nowMs, ttlMs, expiresAtMs });
        }
        return { isWritten: true, version, storedBytes };
      },
      signal ? { signal } : {},
    );
  }

  async touch(touches: readonly SessionTouch[]): Promise<void> {
    if (touches.length === 0) return;
    await this.#database.write((db) => {
      for (const touch of touches) this.#touch(db, touch);
    });
  }

  rename(change: { id: string; newId: string; fromVersion: number; nowMs: number }): Promise<SessionWritten> {
    const { id, newId, fromVersion, nowMs } = change;
    return this.#write((db) => {
      const row = this.#find(db, id);
      if (row?.version !== fromVersion) return { isWritten: false, version: row?.version ?? null };
      const taken = this.#find(db, newId);
      if (taken && taken.expires_at_ms > nowMs) return { isWritten: false, version: taken.version };
      if (taken) db.run('DELETE FROM sessions WHERE key = ?', taken.key);
      const version = fromVersion + 1;
      db.run('UPDATE sessions SET id = ?, version = ? WHERE key = ?', newId, version, row.key);
      return { isWritten: true, version, storedBytes: row.stored_bytes };
    });
  }

  async pack(packed: { id: string; version: number; value: StoredBytes; items: StoredItems | null }): Promise<boolean> {
    const { id, version, value, items } = packed;
    return this.#database.write((db) => {
      const row = this.#find(db, id);
      if (row?.version !== version) return false;
      const { key, first_item: firstItem } = row;
      replaceValue(db, key, value);
      db.run('DELETE FROM session_items WHERE session_key = ?', key);
      if (items) addItems(db, { key, position: firstItem, items });
      const storedBytes = value.bytes.byteLength + (items?.bytes.byteLength ?? 0);
      db.run(
        'UPDATE sessions SET stored_bytes = ?, next_item = ? WHERE key = ?',
        ...[storedBytes, firstItem + (items?.count ?? 0), key],
      );
      return true;
    });
  }

  async remove(id: string): Promise<boolean> {
    return this.#database.write(
      (db) => db.run('DELETE FROM sessions WHERE pool = ? AND id = ?', this.#pool, id).changes > 0,
    );
  }

  async clear(): Promise<number> {
    let removed = 0;
    for (let slice = REMOVED_AT_ONCE; slice === REMOVED_AT_ONCE; removed += slice) {
      slice = await this.#removeSome('', [REMOVED_AT_ONCE]);
    }
    if (removed > 0) await this.#database.giveBackSpace();
    return removed;
  }

  async removeExpired({ beforeMs, limit }: { beforeMs: number; limit: number }): Promise<number> {
    const removed = await this.#removeSome('AND expires_at_ms <= ? ORDER BY expires_at_ms', [beforeMs, limit]);
    if (removed > 0) await this.#database.giveBackSpace();
    return removed;
  }

  async list(options: {
    owner?: string | undefined;
    from: number;
    limit: number;
    nowMs: number;
  }): Promise<SessionPage> {
    const { owner, from, limit, nowMs } = options;
    const ofOwner = owner === undefined ? '' : 'AND owner = ?';
    const rows = this.#database.read((db) =>
      db.all<SessionRow>(
        `SELECT ${RECORD_COLUMNS} FROM sessions WHERE pool = ? AND key >= ? AND expires_at_ms > ? ${ofOwner}
         ORDER BY key LIMIT ?`,
        ...[this.#pool, from, nowMs, ...(owner === undefined ? [] : [owner]), limit + 1],
      ),
    );
    const sessions: SessionRecord[] = rows.slice(0, limit).map(recordOf);
    return { sessions, next: rows[limit]?.key ?? null };
  }

  async totals(): Promise<SessionTotals> {
    return this.#database.read(
      (db) =>
        db.get<SessionTotals>('SELECT sessions, bytes FROM session_totals WHERE pool = ?', this.#pool) ?? {
          sessions: 0,
          bytes: 0,
        },
    );
  }

  #write(work: (db: Queries) => SessionWritten, signal?: AbortSignal): Promise<SessionWritten> {
    return this.#database.write(work, signal ? { signal } : {});
  }

  #find(db: Queries, id: string): SessionRow | undefined {
    return db.get(`SELECT ${RECORD_COLUMNS} FROM sessions WHERE pool = ? AND id = ?`, this.#pool, id);
  }

  #versionOf(db: Queries, id: string): number | null {
    const row = db.get<{ version: number }>('SELECT version FROM sessions WHERE pool = ? AND id = ?', this.#pool, id);
    return row?.version ?? null;
  }

  #touch(db: Queries, { id, usedAtMs, ttlMs, expiresAtMs }: SessionTouch): void {
    db.run(
      'UPDATE sessions SET used_at_ms = ?, ttl_ms = ?, expires_at_ms = ? WHERE pool = ? AND id = ?',
      ...[usedAtMs, ttlMs, expiresAtMs, this.#pool, id],
    );
  }

  async #removeSome(condition: string, parameters: readonly number[]): Promise<number> {
    return this.#database.write(
      (db) =>
        db.run(
          `DELETE FROM sessions WHERE key IN (SELECT key FROM sessions WHERE pool = ? ${condition} LIMIT ?)`,
          ...[this.#pool, ...parameters],
        ).changes,
    );
  }
}

function setValue(db: Queries, key: number, { form, bytes }: StoredBytes): void {
  db.run('INSERT INTO session_values (session_key, form, bytes) VALUES (?, ?, ?)', key, formRank(form), bytes);
}

/** Returns the size of what was there. */
function replaceValue(db: Queries, key: number, { form, bytes }: StoredBytes): number {
  const old = db.get<{ size: number }>('SELECT length(bytes) AS size FROM session_values WHERE session_key = ?', key);
  db.run('UPDATE session_values SET form = ?, bytes = ? WHERE session_key = ?', formRank(form), bytes, key);
  return old?.size ?? 0;
}

function addItems(db: Queries, added: { key: number; position: number; items: StoredItems }): void {
  const { key, position, items } = added;
  db.run(
    'INSERT INTO session_items (session_key, position, count, form, bytes) VALUES (?, ?, ?, ?, ?)',
    ...[key, position, items.count, formRank(items.form), items.bytes],
  );
}

/** Drops chunks that lie before `firstItem` as a whole; returns their size. */
function dropItems(db: Queries, key: number, firstItem: number): number {
  const where = 'session_key = ? AND position + count <= ?';
  const dropped = db.get<{ size: number | null }>(
    `SELECT sum(length(bytes)) AS size FROM session_items WHERE ${where}`,
    key,
    firstItem,
  );
  if (!dropped?.size) return 0;
  db.run(`DELETE FROM session_items WHERE ${where}`, key, firstItem);
  return dropped.size;
}
