/**
 * Embeddings in SQLite: the adapter of the `EmbeddingStore` port.
 *
 * A read that finds rows not used for an hour marks them as used in a write of its own, which nobody waits for and whose failure costs nothing
 * but an order of deletion. The bound is kept in the transaction that adds.
 */
import { endianness } from 'node:os';
import { GIB, requireBytes } from '../../base/bytes.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { EmbeddingStore, EmbeddingTotals, StoredEmbedding } from '../embedding-store.ts';
import type { SqliteDatabase } from './connection.ts';
import type { Queries } from './queries.ts';

const FLOAT_BYTES = 4;
const USE_RESOLUTION_MS = 3_600_000;
const MOST_NAME_LENGTH = 128;
/** Rows deleted before the bound is looked at again. */
const DELETED_AT_ONCE = 64;
const DEFAULT_MOST_ROWS = 1_000_000;
const DEFAULT_MOST_BYTES = GIB;

interface Row {
  readonly id: number;
  readonly vector: Uint8Array;
  readonly used_at_ms: number;
}

/** Bounds of the table. */
export interface SqliteEmbeddingStoreOptions {
  readonly nowMs: () => number;
  /** Most embeddings; 1,000,000 by default. */
  readonly maxRows?: number;
  /** Most bytes of vectors; 1 GB by default. */
  readonly maxBytes?: number;
}

export class SqliteEmbeddingStore implements EmbeddingStore {
  readonly #database: SqliteDatabase;
  readonly #nowMs: () => number;
  readonly #maxRows: number;
  readonly #maxBytes: number;

  /** @throws InvalidArgumentError for a bound that is no whole number, 0 or more. */
  constructor(database: SqliteDatabase, options: SqliteEmbeddingStoreOptions) {
    const { nowMs, maxRows = DEFAULT_MOST_ROWS, maxBytes = DEFAULT_MOST_BYTES } = options;
    if (!Number.isSafeInteger(maxRows) || maxRows < 0) {
      throw new InvalidArgumentError('maxRows', `must be a whole number, 0 or more; got ${String(maxRows)}.`);
    }
    this.#database = database;
    this.#nowMs = nowMs;
    this.#maxRows = maxRows;
    this.#maxBytes = requireBytes(maxBytes, 'maxBytes');
  }

  async get(model: string, textHashes: readonly string[]): Promise<ReadonlyMap<string, Float32Array>> {
    const found = new Map<string, Float32Array>();
    const dueMs = this.#nowMs() - USE_RESOLUTION_MS;
    const stale: number[] = [];
    this.#database.read((db) => {
      for (const textHash of textHashes) {
        const row = db.get<Row>(
          'SELECT id, vector, used_at_ms FROM embeddings WHERE model = ? AND text_hash = ?',
          model,
          textHash,
        );
        const vector = row && vectorOf(row.vector);
        if (!vector) continue;
        found.set(textHash, vector);
        // A clock that was set back must not keep old rows young.
        if (row.used_at_ms <= dueMs || row.used_at_ms > this.#nowMs()) stale.push(row.id);
      }
    });
    if (stale.length > 0) this.#markUsed(stale);
    return found;
  }

  async put(model: string, embeddings: readonly StoredEmbedding[]): Promise<void> {
    requireName('model', model);
    for (const { textHash, vector } of embeddings) {
      requireName('textHash', textHash);
      if (!(vector instanceof Float32Array) || vector.length === 0) {
        throw new InvalidArgumentError('vector', 'must be a Float32Array with at least one number.');
      }
    }
    const nowMs = this.#nowMs();
    await this.#database.write((db) => {
      for (const { textHash, vector } of embeddings) {
        db.run(
          `INSERT INTO embeddings (model, text_hash, vector, used_at_ms) VALUES (?, ?, ?, ?)
           ON CONFLICT (model, text_hash) DO UPDATE SET vector = excluded.vector, used_at_ms = excluded.used_at_ms`,
          model,
          textHash,
          bytesOf(vector),
          nowMs,
        );
      }
      this.#trim(db);
    });
  }

  async delete(model: string, textHashes?: readonly string[]): Promise<number> {
    return await this.#database.write((db) => {
      if (textHashes === undefined) return db.run('DELETE FROM embeddings WHERE model = ?', model).changes;
      let count = 0;
      for (const textHash of new Set(textHashes)) {
        count += db.run('DELETE FROM embeddings WHERE model = ? AND text_hash = ?', model, textHash).changes;
      }
      return count;
    });
  }

  totals(): EmbeddingTotals {
    return this.#database.read(totalsOf);
  }

  #trim(db: Queries): void {
    for (;;) {
      const { rows, bytes } = totalsOf(db);
      if (rows <= this.#maxRows && bytes <= this.#maxBytes) return;
      const count = Math.min(DELETED_AT_ONCE, Math.max(1, rows - this.#maxRows));
      db.run(`DELETE FROM embeddings WHERE id IN (SELECT id FROM embeddings ORDER BY used_at_ms, id LIMIT ${count})`);
    }
  }

  #markUsed(ids: readonly number[]): void {
    const nowMs = this.#nowMs();
    const marking = this.#database.write((db) => {
      for (const id of ids) db.run('UPDATE embeddings SET used_at_ms = ? WHERE id = ?', nowMs, id);
    });
    marking.catch(() => {
      // A locked or full store: the rows look older than they are, and that is all.
    });
  }
}

function totalsOf(db: Queries): EmbeddingTotals {
  const row = db.get<{ embeddings: number; bytes: number }>('SELECT embeddings, bytes FROM embedding_totals');
  return { rows: row?.embeddings ?? 0, bytes: row?.bytes ?? 0 };
}

/** The numbers in the order of the file, whatever the machine's. */
function bytesOf(vector: Float32Array): Uint8Array {
  return inFileOrder(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
}

function vectorOf(bytes: Uint8Array): Float32Array | null {
  if (bytes.byteLength === 0 || bytes.byteLength % FLOAT_BYTES !== 0) return null;
  return new Float32Array(inFileOrder(bytes).slice().buffer);
}

function inFileOrder(bytes: Uint8Array): Uint8Array {
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}

function requireName(argument: string, name: string): void {
  if (typeof name === 'string' && name !== '' && name.length <= MOST_NAME_LENGTH) return;
  throw new InvalidArgumentError(argument, `must be a text of 1 to ${MOST_NAME_LENGTH} characters.`);
}
