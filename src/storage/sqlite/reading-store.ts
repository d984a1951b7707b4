/**
 * The history of readings in SQLite: the adapter of the `ReadingStore` port.
 *
 * Long ranges are read a slice at a time with turns of the event loop between, finest tier first: a slice that compaction
 * moves meanwhile is then counted twice within one mean instead of being missed.
 */
import { nextTurn } from '../../base/clock.ts';
import { LEVELS, levelRank } from '../../base/levels.ts';
import { Periods, periodStart, type Sample, sampleOf, stepFor, TIERS, type Tier } from '../history-sampling.ts';
import type { History, HistoryPoint, HistoryRange, ReadingStore } from '../reading-store.ts';
import type { SqliteDatabase } from './connection.ts';
import type { Queries } from './queries.ts';
import { DamagedRowError } from './sqlite-errors.ts';
import { storedList, storedObject } from './stored-json.ts';

/** Rows read or moved at once: a few milliseconds. */
const SLICE_ROWS = 1000;

interface ReadingRow {
  readonly at_ms: number;
  readonly samples: number;
  readonly rss_bytes: number;
  readonly anon_bytes: number;
  readonly peak_anon_bytes: number;
  readonly heap_used_bytes: number;
  readonly live_heap_bytes: number | null;
  readonly external_bytes: number;
  readonly limit_bytes: number;
  readonly reserved_bytes: number;
  readonly score: number;
  readonly peak_score: number;
  readonly level: number;
  readonly consumers: string;
  readonly figures: string;
}

interface Place {
  readonly node: string;
  readonly resolutionMs: number;
}

export class SqliteReadingStore implements ReadingStore {
  readonly #database: SqliteDatabase;
  readonly #node: string;

  /** `node` names the process whose history this is, the same after every restart; compaction serves all nodes. */
  constructor(database: SqliteDatabase, options: { node: string }) {
    this.#database = database;
    this.#node = options.node;
  }

  async append(point: HistoryPoint): Promise<void> {
    const place = { node: this.#node, resolutionMs: TIERS[0].resolutionMs };
    const sample = sampleOf(point, place.resolutionMs);
    await this.#database.write((db) => addSamples(db, place, [sample]));
  }

  async range(range: HistoryRange): Promise<History> {
    const leastMs = this.#coarsestIn(range);
    const resolutionMs = stepFor(range, leastMs);
    const periods = new Periods(resolutionMs);
    for (const tier of TIERS) {
      const place = { node: this.#node, resolutionMs: tier.resolutionMs };
      for (let fromMs = periodStart(range.fromMs, resolutionMs); ; ) {
        // Made samples within the read, where a damaged row is told as the store's.
        const samples = this.#database.read((db) => oldest(db, place, { fromMs, toMs: range.toMs }).map(sampleOfRow));
        for (const sample of samples) periods.add(sample);
        if (samples.length < SLICE_ROWS) break;
        fromMs = samples.at(-1)!.point.atMs + 1;
        await nextTurn();
      }
    }
    return { resolutionMs, points: periods.results().map(({ point }) => point) };
  }

  async compact(nowMs: number, signal?: AbortSignal): Promise<{ merged: number; removed: number }> {
    const nodes = this.#database.read((db) => db.all<{ node: string }>('SELECT DISTINCT node FROM readings'));
    let merged = 0;
    let removed = 0;
    for (const { node } of nodes) {
      for (const [index, tier] of TIERS.entries()) {
        const next = TIERS[index + 1];
        const moved = await this.#moveOld({ node, tier, next, nowMs, signal });
        if (next) merged += moved;
        else removed += moved;
      }
    }
    if (merged + removed > 0) await this.#database.giveBackSpace();
    return { merged, removed };
  }

  /** The coarsest resolution that anything in the range has. */
  #coarsestIn(range: HistoryRange): number {
    const found = TIERS.findLast(({ resolutionMs }) =>
      this.#database.read((db) =>
        db.get(
          'SELECT 1 FROM readings WHERE node = ? AND resolution_ms = ? AND at_ms >= ? AND at_ms < ? LIMIT 1',
          this.#node,
          resolutionMs,
          periodStart(range.fromMs, resolutionMs),
          range.toMs,
        ),
      ),
    );
    return (found ?? TIERS[0]).resolutionMs;
  }

  /** Moves what a tier no longer keeps into the next, or away where there is none; returns how many rows went. */
  async #moveOld(move: {
    node: string;
    tier: Tier;
    next: Tier | undefined;
    nowMs: number;
    signal: AbortSignal | undefined;
  }): Promise<number> {
    const { node, tier, next } = move;
    const place = { node, resolutionMs: tier.resolutionMs };
    const toMs = move.nowMs - tier.keepMs;
    for (let total = 0; ; ) {
      move.signal?.throwIfAborted();
      const moved = await this.#database.write((db) => {
        const rows = oldest(db, place, { fromMs: 0, toMs });
        if (next) addSamples(db, { node, resolutionMs: next.resolutionMs }, rows.map(sampleOfRow));
        db.run(
          'DELETE FROM readings WHERE node = ? AND resolution_ms = ? AND at_ms <= ?',
          node,
          place.resolutionMs,
          rows.at(-1)?.at_ms ?? -1,
        );
        return rows.length;
      });
      total += moved;
      if (moved < SLICE_ROWS) return total;
    }
  }
}

/** The oldest rows of a tier within a range, one slice of them. */
function oldest(db: Queries, { node, resolutionMs }: Place, range: { fromMs: number; toMs: number }): ReadingRow[] {
  return db.all(
    `SELECT * FROM readings WHERE node = ? AND resolution_ms = ? AND at_ms >= ? AND at_ms < ?
     ORDER BY at_ms LIMIT ${SLICE_ROWS}`,
    node,
    resolutionMs,
    range.fromMs,
    range.toMs,
  );
}

/** Adds samples to the periods of a tier, together with what those already hold. */
function addSamples(db: Queries, { node, resolutionMs }: Place, added: readonly Sample[]): void {
  const periods = new Periods(resolutionMs);
  for (const atMs of new Set(added.map(({ point }) => periodStart(point.atMs, resolutionMs)))) {
    const row = db.get<ReadingRow>(
      'SELECT * FROM readings WHERE node = ? AND resolution_ms = ? AND at_ms = ?',
      node,
      resolutionMs,
      atMs,
    );
    if (row) periods.add(sampleOfRow(row));
  }
  for (const sample of added) periods.add(sample);
  for (const { point, samples } of periods.results()) {
    db.run(
      `INSERT OR REPLACE INTO readings (node, resolution_ms, at_ms, samples, rss_bytes, anon_bytes, peak_anon_bytes,
         heap_used_bytes, live_heap_bytes, external_bytes, limit_bytes, reserved_bytes, score, peak_score, level, consumers,
         figures)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      node,
      resolutionMs,
      point.atMs,
      samples,
      point.rssBytes,
      point.anonBytes,
      point.peakAnonBytes,
      point.heapUsedBytes,
      point.liveHeapBytes,
      point.externalBytes,
      point.limitBytes,
      point.reservedBytes,
      point.score,
      point.peakScore,
      levelRank(point.level),
      JSON.stringify(point.consumers),
      JSON.stringify(point.figures),
    );
  }
}

function sampleOfRow(row: ReadingRow): Sample {
  const level = LEVELS[row.level];
  if (level === undefined) throw new DamagedRowError('a reading has a level that is none');
  return {
    samples: row.samples,
    point: {
      atMs: row.at_ms,
      rssBytes: row.rss_bytes,
      anonBytes: row.anon_bytes,
      peakAnonBytes: row.peak_anon_bytes,
      heapUsedBytes: row.heap_used_bytes,
      liveHeapBytes: row.live_heap_bytes,
      externalBytes: row.external_bytes,
      limitBytes: row.limit_bytes,
      reservedBytes: row.reserved_bytes,
      score: row.score,
      peakScore: row.peak_score,
      level,
      consumers: storedList(row.consumers),
      figures: storedObject(row.figures),
    },
  };
}
