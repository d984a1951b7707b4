/** For tests: questions and passages without a store. */
import type { Json } from '../../storage/memory-store.ts';
import { type Passage, passageOf } from './passage.ts';
import { Question } from './question.ts';

/** A question whose words are all equally rare. */
export function asked(text: string): Question {
  return new Question(text, [{ memories: 1000, withTerm: new Map() }]);
}

/** A passage as it is ingested, or, without heading, a memory told directly. */
export function passage(text: string, about: { heading?: string; speaker?: string; found?: number } = {}): Passage {
  const { heading, speaker = null, found = 1 } = about;
  const metadata: Record<string, Json> = heading === undefined ? {} : { heading };
  const memory = {
    id: text,
    scope: { tenant: 'acme' },
    text: heading === undefined ? text : `${heading}\n\n${text}`,
    tags: [],
    metadata,
    importance: 0.5,
    createdAtMs: 0,
    atMs: 0,
    validFromMs: null,
    validToMs: null,
    expiresAtMs: null,
    pinned: false,
    source: null,
    speaker,
    uses: 0,
    lastUsedAtMs: null,
    model: null,
  };
  return passageOf({ memory, score: found, why: [] }, 1);
}
