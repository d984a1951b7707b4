/**
 * What Tenure knows about itself: its own documentation, and behind it its decisions and the README files of its packages.
 *
 * All lie in one partition, apart from what users know, so that they never turn up in their recall. A question is about Tenure unless it names
 * a package, or Tenure's documentation hardly knows its words: seven READMEs that all say "install" must not answer how Tenure is
 * installed.
 */
import { wordsOf } from '../../agent-memory/analyze.ts';
import type { LongTermMemory } from '../../agent-memory/long-term.ts';
import type { Scope } from '../../storage/scope.ts';
import type { Question } from './question.ts';
import { type Searched, search } from './search.ts';

/** Where Tenure's own documentation is kept. */
export const OWN_DOCUMENTS_SCOPE: Scope = { tenant: 'tenure', agent: 'help' };

/** The label of what is written for users. */
export const OWN_DOCUMENTS_TAG = 'tenure';
/** The label of what stands behind it; a package's documents have its name for another. */
export const BACKGROUND_DOCUMENTS_TAG = 'background';

/** What users are told is not compared with the background when it covers this share of the question. */
const COVERED = 0.85;
/** A package that the question names needs only this share of what Tenure's own documentation covers. */
const NAMED_SHARE = 0.75;
/**
 * Background that nobody named answers only what Tenure's own documentation holds less than the one share of, and it more than the other.
 * Even then it may speak of something else by the same words, so it is trusted less.
 */
const UNNAMED = { ownBelow: 0.5, backgroundAbove: 0.7, trust: 0.7 };

/** What Tenure's documentation, or else what stands behind it, has to say. */
export async function searchOwnDocumentation(
  memory: LongTermMemory,
  asked: { text: string; question: Question },
  signal: AbortSignal | undefined,
): Promise<Searched> {
  const scope = OWN_DOCUMENTS_SCOPE;
  const own = await search(memory, asked, { scope, tags: [OWN_DOCUMENTS_TAG], known: OWN_DOCUMENTS_TAG, signal });
  if (own.coverage >= COVERED) return own;
  const background = await search(memory, asked, { scope, tags: [BACKGROUND_DOCUMENTS_TAG], signal });
  const words = new Set(wordsOf(asked.text));
  const name = background.passages.flatMap(({ memory: { tags } }) => tags).find((tag) => isNamed(tag, words));
  if (name === undefined) {
    const answers = own.coverage < UNNAMED.ownBelow && background.coverage > UNNAMED.backgroundAbove;
    return answers ? { ...background, coverage: background.coverage * UNNAMED.trust } : own;
  }
  const named = await search(memory, asked, { scope, tags: [BACKGROUND_DOCUMENTS_TAG, name], known: name, signal });
  return named.coverage > own.coverage * NAMED_SHARE ? named : own;
}

/** Whether the words hold the name of a package, without its organization. */
function isNamed(tag: string, words: ReadonlySet<string>): boolean {
  return tag !== BACKGROUND_DOCUMENTS_TAG && wordsOf(tag.replace(/^@[^/]*\//, '')).every((word) => words.has(word));
}
