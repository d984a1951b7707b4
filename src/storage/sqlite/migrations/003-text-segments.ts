/**
 * The text index in segments (decision 5) instead of one row for each term and chunk.
 *
 * A segment holds the postings of the documents from `first_ordinal` to before `next_ordinal`, in blocks. While segments are being
 * merged, `merging_into` names the one their blocks move to. Everything is indexed anew from the rows' terms: `waiting_terms` is
 * set to a number that is at least the true one, and comes right with the last batch.
 */
export const textSegments = {
  number: 3,
  name: 'text segments',
  sql: `
    DROP TABLE text_postings;

    CREATE TABLE text_segments (
      id INTEGER PRIMARY KEY,
      partition_id INTEGER NOT NULL REFERENCES partitions (id) ON DELETE CASCADE,
      first_ordinal INTEGER NOT NULL,
      next_ordinal INTEGER NOT NULL,
      level INTEGER NOT NULL,
      merging_into INTEGER
    ) STRICT;

    CREATE INDEX text_segments_in_order ON text_segments (partition_id, first_ordinal, level DESC);

    CREATE TABLE text_blocks (
      id INTEGER PRIMARY KEY,
      segment_id INTEGER NOT NULL REFERENCES text_segments (id) ON DELETE CASCADE,
      first_place BLOB NOT NULL,
      bytes BLOB NOT NULL
    ) STRICT;

    CREATE UNIQUE INDEX text_blocks_in_order ON text_blocks (segment_id, first_place);

    DELETE FROM text_documents;
    UPDATE partitions SET indexed_ordinals = 0, waiting_terms = total_length;
  `,
} as const;
