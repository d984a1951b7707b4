/**
 * Errors as HTTP: the only place where codes become statuses.
 *
 * A code that is not listed is the server's fault (500). An error without a code says nothing of itself to the client: its
 * text could hold anything; it is told as an event instead.
 */
import type { z } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { type ErrorDetails, messageOf, TenureError } from '../base/errors.ts';
import { AdmissionRefusedError } from '../pressure/admission/refusal.ts';
import type { problemSchema } from './schemas/problem.ts';

/** Seconds after which a client may try again what was refused for a passing reason. */
const RETRY_AFTER_S = 5;

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  ADMISSION_REFUSED: 503,
  INVALID_ARGUMENT: 400,
  INVALID_JSON: 400,
  INVALID_REQUEST: 400,
  INVALID_UTF8: 400,
  JSON_TOO_DEEP: 400,
  QUERY_EMPTY: 400,
  QUERY_TOO_LONG: 400,
  SCOPE_INVALID: 400,
  SCOPE_REQUIRED: 400,
  CROSS_SITE_REFUSED: 403,
  HOST_NOT_ALLOWED: 403,
  NOT_FOUND: 404,
  BODY_TIMEOUT: 408,
  INGEST_CHANGED: 409,
  BODY_TOO_LARGE: 413,
  JSON_TOO_MANY_VALUES: 413,
  MEMORY_TOO_LARGE: 413,
  INGEST_BINARY: 415,
  INGEST_UNSUPPORTED: 415,
  UNSUPPORTED_MEDIA_TYPE: 415,
  INGEST_MALFORMED: 422,
  CLIENT_GONE: 499,
  INTERNAL: 500,
  BUDGET_EXCEEDED: 503,
  CLOSED: 503,
  SHEDDING: 503,
  STORE_LOCKED: 503,
  TOO_MANY_STREAMS: 503,
  TIMEOUT: 504,
  STORE_FULL: 507,
  UPLOAD_FAILED: 507,
};

export type Problem = z.infer<typeof problemSchema>;

/** The problem document for anything thrown. */
function problemOf(thrown: unknown): Problem {
  if (thrown instanceof AdmissionRefusedError && thrown.reason === 'too_large') {
    return { ...problem(thrown.code, thrown.message, thrown.details), status: 413 };
  }
  if (thrown instanceof TenureError) return problem(thrown.code, thrown.message, thrown.details);
  if (thrown instanceof HTTPException) {
    // The framework's own words for a body it was told to read.
    const code = thrown.status === 415 ? 'UNSUPPORTED_MEDIA_TYPE' : 'INVALID_REQUEST';
    return problem(code, thrown.message);
  }
  return problem('INTERNAL', 'The server failed on this request. Its log says why.');
}

/** The answer to anything thrown. */
export function problemResponse(thrown: unknown): Response {
  const body = problemOf(thrown);
  const headers = new Headers({ 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
  if (body.status === 503) headers.set('retry-after', String(secondsUntilRetry(thrown)));
  return new Response(JSON.stringify(body), { status: body.status, headers });
}

/** As measured, where it was. */
function secondsUntilRetry(thrown: unknown): number {
  const measuredMs = thrown instanceof AdmissionRefusedError ? thrown.retryAfterMs : null;
  return measuredMs === null ? RETRY_AFTER_S : Math.max(1, Math.ceil(measuredMs / 1000));
}

/** For the event that tells of a failure: its code and text and, where it is a defect, the place. */
export function failureOf(thrown: unknown): { code: string; message: string; stack: string | null } {
  const { code } = problemOf(thrown);
  const stack = code === 'INTERNAL' && thrown instanceof Error ? (thrown.stack ?? null) : null;
  return { code, message: messageOf(thrown), stack };
}

function problem(code: string, detail: string, details: ErrorDetails = {}): Problem {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return {
    type: `urn:tenure:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: STATUS_BY_CODE[code] ?? 500,
    code,
    detail,
    details,
  };
}
