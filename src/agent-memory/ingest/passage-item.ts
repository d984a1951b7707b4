/** A passage as it is remembered: in its session, with its place in the document in the metadata. */
import { createHash } from 'node:crypto';
import { SCOPE_PART_LIMIT, type Scope } from '../../storage/scope.ts';
import type { RememberItem } from '../memory-input.ts';
import type { DocumentKind, IngestDocument } from './document.ts';
import type { About, DocumentPassage } from './reader.ts';

const SPEAKER_LIMIT = 256;
const TAG_LIMIT = 32;

/** The memory of a passage. What a passage may hold that a memory may not is cut or renamed here, so that none is refused. */
export function itemOf(
  passage: DocumentPassage,
  of: {
    document: IngestDocument;
    about: About;
    scope: Scope;
    kind: DocumentKind;
    position: number;
    version: string;
  },
): RememberItem {
  const { document, about, scope, kind, position, version } = of;
  const { name, modifiedAtMs } = document;
  return {
    text: passage.text,
    scope: { ...scope, session: sessionName(passage.session ?? scope.session ?? name) },
    source: name,
    speaker: passage.speaker?.slice(0, SPEAKER_LIMIT),
    atMs: passage.atMs,
    tags: [...(document.tags ?? []), ...(about.tags ?? [])].slice(0, TAG_LIMIT),
    metadata: {
      title: about.title ?? name,
      path: name,
      ...(passage.heading === null ? {} : { heading: passage.heading }),
      kind,
      position,
      version,
      ...(modifiedAtMs === undefined ? {} : { modifiedAtMs }),
      ...(about.frontMatter ? { frontMatter: about.frontMatter } : {}),
    },
  };
}

/** A session as a scope can hold it; another name for one that it cannot. */
function sessionName(session: string): string {
  const fits = session.length <= SCOPE_PART_LIMIT && session.isWellFormed() && !session.includes('\0');
  return fits ? session : createHash('sha256').update(session).digest('hex');
}
