/**
 * How common the terms of a text are in a partition.
 *
 * Scores of two partitions cannot be compared: each knows only its own words. Who must choose between partitions compares by these counts
 * instead, added up.
 */
import type { MemoryStore } from '../../storage/memory-store.ts';
import { requireScope, type Scope } from '../../storage/scope.ts';
import { analyze } from '../analyze.ts';

/** In how many memories of a partition each term occurs, and how many memories there are. */
export interface TermCounts {
  readonly memories: number;
  readonly withTerm: ReadonlyMap<string, number>;
}

/** The counts for the terms of `text`; a term that nobody used counts 0. */
export async function termCounts(store: MemoryStore, text: string, scope: Scope): Promise<TermCounts> {
  const terms = [...new Set(analyze(text))];
  const { documents, postings } = await store.lexical(requireScope(scope), terms);
  const withTerm = new Map(terms.map((term) => [term, postings.get(term)?.count ?? 0]));
  return { memories: documents.liveDocuments, withTerm };
}
