/**
 * A refusal over HTTP: 503 with Retry-After (RFC 9110, 10.2.3), or 413 for what could never fit, and a problem document (RFC 9457).
 *
 * It names no holders: those are the server's own affair.
 */
import type { RefusalReason } from '../../pressure/admission/admission-events.ts';
import type { Refusal } from '../../pressure/admission/refusal.ts';

/** An answer, for any framework to send. */
export interface RefusalAnswer {
  readonly status: 503 | 413;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const WHY: Readonly<Record<RefusalReason, string>> = {
  pressure: 'Memory is short, so no new work is taken.',
  budget: 'There is no room for this request now.',
  quota: 'What this tenant may hold is in use.',
  circuit_open: 'There was no room repeatedly; none is asked for at the moment.',
  too_large: 'This request is larger than can be taken. Send it in parts.',
};

export function refusalAnswer({ reason, requestBytes, retryAfterMs }: Refusal): RefusalAnswer {
  const status = reason === 'too_large' ? 413 : 503;
  const headers: Record<string, string> = {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  };
  let detail = WHY[reason];
  if (retryAfterMs !== null) {
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000));
    headers['retry-after'] = String(seconds);
    detail += ` Try again in ${seconds} s.`;
  }
  const body = JSON.stringify({
    type: 'urn:tenure:problem:admission-refused',
    title: 'Admission refused',
    status,
    code: 'ADMISSION_REFUSED',
    detail,
    details: { reason, requestBytes, retryAfterMs },
  });
  return { status, headers, body };
}
