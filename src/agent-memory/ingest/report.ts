/** What an ingest did: counts, what failed, and what was left out or mended. */

export interface IngestFailure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

/** Codes `INGEST_LINE_TOO_LONG`, `INGEST_MALFORMED`, `INGEST_REPLACED`. */
export interface IngestWarning extends IngestFailure {
  readonly line?: number;
}

/** What an ingest did, all documents together. */
export interface IngestReport {
  /** Documents seen, those unchanged and those failed among them. */
  readonly documents: number;
  readonly unchanged: number;
  /** Passages remembered. */
  readonly passages: number;
  readonly failed: readonly IngestFailure[];
  /** Lines of conversations that were left out. */
  readonly badLines: number;
  /** Characters that were not UTF-8 and became U+FFFD. */
  readonly replacedCharacters: number;
  /** The first 100 things left out or mended, in words. */
  readonly warnings: readonly IngestWarning[];
  readonly bytes: number;
  readonly tookMs: number;
}
