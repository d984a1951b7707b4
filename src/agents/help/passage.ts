/** What may answer: a recalled memory taken apart into the headings it stands under and what is said there. */
import type { Recalled } from '../../agent-memory/recall/recall.ts';
import type { StoredMemory } from '../../storage/memory-store.ts';
import { type Block, blocksOf } from './blocks.ts';

const PATH_SEPARATOR = ' › ';

export interface Passage {
  readonly memory: StoredMemory;
  /** Headings it stands under, outermost first; of a memory told directly, none. */
  readonly headings: readonly string[];
  /** Never empty. */
  readonly blocks: readonly Block[];
  /** How well recall found it against the best of its recall, 0 to 1. */
  readonly found: number;
}

/** The passage of a memory; `bestScore` is that of the first of its recall. */
export function passageOf({ memory, score }: Recalled, bestScore: number): Passage {
  const heading = metadataText(memory, 'heading');
  const body = heading !== null && memory.text.startsWith(heading) ? memory.text.slice(heading.length) : memory.text;
  const blocks = blocksOf(body.trim() === '' ? memory.text : body);
  return { memory, headings: heading?.split(PATH_SEPARATOR) ?? [], blocks, found: score / bestScore };
}

/** A field of the metadata that says something, or null. */
export function metadataText(memory: StoredMemory, name: string): string | null {
  const value = memory.metadata[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
