/**
 * What a bench is, and what it hands back.
 *
 * One file answers one question: `bench/<name>.ts` exports one `Bench` named `bench`. The runner (`bench/run.mjs`, started by
 * `npm run bench -- <name>`) runs it in its own process with `gc()` available, prints the table, and with `--write` keeps it in
 * `bench/results/<name>.md` with the machine, the Node version and the commit it was measured on.
 */

/** Rows of figures under named columns; sizes and times carry their unit in the column's name. */
export interface BenchTable {
  columns: string[];
  rows: (string | number)[][];
  /** Sentences printed below the table: source and licence of the data, what a column means, what to compare with. */
  notes?: string[];
}

export interface Bench {
  /** The file's name without `.ts`. */
  readonly name: string;
  /** The one question the table answers. */
  readonly question: string;
  /** Measures. `small` asks for a run of a few seconds that proves the bench still works; its figures are not kept. */
  run(options: { small: boolean }): Promise<BenchTable>;
}
