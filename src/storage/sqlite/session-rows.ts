/** Rows of sessions as the port's records, and the forms of their bytes as numbers. */
import type { SessionRecord, StoredForm } from '../session-store.ts';
import { DamagedRowError } from './sqlite-errors.ts';

const FORMS: readonly StoredForm[] = ['plain', 'deflate'];

export const RECORD_COLUMNS =
  'key, id, owner, version, stored_bytes, first_item, next_item, created_at_ms, used_at_ms, ttl_ms, expires_at_ms';

export interface SessionRow {
  readonly key: number;
  readonly id: string;
  readonly owner: string | null;
  readonly version: number;
  readonly stored_bytes: number;
  readonly first_item: number;
  readonly next_item: number;
  readonly created_at_ms: number;
  readonly used_at_ms: number;
  readonly ttl_ms: number;
  readonly expires_at_ms: number;
}

export function recordOf(row: SessionRow): SessionRecord {
  return {
    id: row.id,
    owner: row.owner,
    version: row.version,
    storedBytes: row.stored_bytes,
    itemCount: row.next_item - row.first_item,
    createdAtMs: row.created_at_ms,
    usedAtMs: row.used_at_ms,
    ttlMs: row.ttl_ms,
    expiresAtMs: row.expires_at_ms,
  };
}

export function formRank(form: StoredForm): number {
  return FORMS.indexOf(form);
}

export function formOf(rank: number): StoredForm {
  const form = FORMS[rank];
  if (form === undefined) throw new DamagedRowError('the bytes of a session have a form that is none');
  return form;
}
