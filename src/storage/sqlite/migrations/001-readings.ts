/**
 * The history of readings: one row per period of `resolution_ms`, means over `samples` readings and two peaks.
 *
 * A row's period starts at `at_ms`, a multiple of its resolution. Old rows are merged into coarser ones, so the table stays
 * near twenty thousand rows a year for each node. `level` is the rank of the worst level.
 */
export const readings = {
  number: 1,
  name: 'readings',
  sql: `
    CREATE TABLE readings (
      node TEXT NOT NULL,
      resolution_ms INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      samples INTEGER NOT NULL,
      rss_bytes INTEGER NOT NULL,
      anon_bytes INTEGER NOT NULL,
      peak_anon_bytes INTEGER NOT NULL,
      heap_used_bytes INTEGER NOT NULL,
      live_heap_bytes INTEGER,
      external_bytes INTEGER NOT NULL,
      limit_bytes INTEGER NOT NULL,
      reserved_bytes INTEGER NOT NULL,
      score REAL NOT NULL,
      peak_score REAL NOT NULL,
      level INTEGER NOT NULL,
      consumers TEXT NOT NULL,
      PRIMARY KEY (node, resolution_ms, at_ms)
    ) STRICT, WITHOUT ROWID;
  `,
} as const;
