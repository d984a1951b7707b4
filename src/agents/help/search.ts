/** One place searched for one question: its passages ranked, and what the best of them answers. */
import type { LongTermMemory } from '../../agent-memory/long-term.ts';
import type { Reason } from '../../agent-memory/recall/reasons.ts';
import type { Recalled } from '../../agent-memory/recall/recall.ts';
import type { Scope } from '../../storage/scope.ts';
import { type ComposedAnswer, composeAnswer } from './compose-answer.ts';
import { passageOf } from './passage.ts';
import { type Question, widened } from './question.ts';
import { type RankedPassage, rankPassages } from './rank-passages.ts';

/** Passages that recall is asked for: what answers a question about a document is often far down in an order made for conversations. */
const CANDIDATES = 50;

export interface Searched extends ComposedAnswer {
  /** Best first. */
  readonly passages: readonly (RankedPassage & { readonly why: readonly Reason[] })[];
}

export interface SearchOptions {
  readonly scope: Scope;
  readonly tags?: readonly string[] | undefined;
  /** Only what passes is looked at. */
  readonly only?: ((recalled: Recalled) => boolean) | undefined;
  /** Words that every passage of the place is about without saying so. */
  readonly known?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Looks for the answer to `text`, of which `question` is the weighed form. */
export async function search(
  memory: LongTermMemory,
  asked: { text: string; question: Question },
  options: SearchOptions,
): Promise<Searched> {
  const { scope, tags, only = () => true, known, signal } = options;
  const all = await memory.recall(widened(asked.text), { scope, tags, limit: CANDIDATES, marksUsed: false, signal });
  const found = all.filter(only);
  const whyById = new Map(found.map(({ memory: { id }, why }) => [id, why]));
  const ranked = rankPassages(
    asked.question,
    found.map((recalled) => passageOf(recalled, found[0]!.score)),
  );
  const passages = ranked.map((passage) => ({ ...passage, why: whyById.get(passage.memory.id)! }));
  const [best] = passages;
  return { passages, ...(best ? composeAnswer(asked.question, best, known) : { answer: '', coverage: 0 }) };
}
