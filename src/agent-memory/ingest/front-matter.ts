/**
 * Front matter: YAML between `---` lines at the beginning of a Markdown file.
 *
 * It describes the document, so it goes to the metadata of every passage and not into their text. Only scalars and lists of
 * scalars are kept, up to 4 KB in all. Front matter that is no YAML mapping is left out without a word: its document still reads.
 */
import type { Json } from '../../storage/memory-store.ts';
import { withoutControls } from './decode.ts';
import { type About, TITLE_LIMIT } from './reader.ts';

const FRONT_MATTER_LIMIT = 4096;
const TAG_LIMIT = { count: 32, characters: 128 };

/** Reads the lines between the marks into `about`. */
export async function readFrontMatter(yaml: string, about: About): Promise<void> {
  const { parse } = await import('yaml');
  let parsed: unknown;
  try {
    parsed = parse(yaml, { logLevel: 'silent' });
  } catch {
    return;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return;
  const { title, tags, ...rest } = parsed as Record<string, unknown>;
  if (typeof title === 'string' && title.trim()) about.title = withoutControls(title).trim().slice(0, TITLE_LIMIT);
  if (Array.isArray(tags)) {
    const labels = tags.filter((tag) => typeof tag === 'string' && tag !== '' && tag.length <= TAG_LIMIT.characters);
    about.tags = labels.slice(0, TAG_LIMIT.count);
  }
  const kept = Object.entries(rest).filter((entry): entry is [string, Json] => isPlain(entry[1]));
  if (kept.length > 0 && JSON.stringify(kept).length <= FRONT_MATTER_LIMIT)
    about.frontMatter = Object.fromEntries(kept);
}

function isPlain(value: unknown): boolean {
  return Array.isArray(value) ? value.every(isScalar) : isScalar(value);
}

function isScalar(value: unknown): boolean {
  return ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
}
