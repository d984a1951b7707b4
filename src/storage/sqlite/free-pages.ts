/**
 * Gives free pages of the file back to the file system, in slices.
 *
 * `auto_vacuum=INCREMENTAL` does nothing by itself: pages that removals freed stay in the file until they are asked out. Some stay,
 * because the next writes would only make the file longer again. The file itself gets shorter with the next checkpoint.
 */
import type { Queries } from './queries.ts';

/** Free pages left in the file: 4 MB of the usual ones. */
export const SPARE_PAGES = 1_024;
/** Pages moved in one transaction: some milliseconds. */
export const PAGES_AT_ONCE = 256;

/** Gives back one slice of what is free beyond the spare pages, inside somebody's transaction; true when there is more. */
export function giveBackSome(db: Queries): boolean {
  const before = freePages(db);
  const slice = Math.min(PAGES_AT_ONCE, before - SPARE_PAGES);
  if (slice <= 0) return false;
  // A step of it gives back one page, so it is run to its end.
  db.all(`PRAGMA incremental_vacuum(${slice})`);
  const after = freePages(db);
  return after < before && after > SPARE_PAGES;
}

/** Pages of the file that hold nothing. */
export function freePages(db: Queries): number {
  return db.get<{ freelist_count: number }>('PRAGMA freelist_count')!.freelist_count;
}
