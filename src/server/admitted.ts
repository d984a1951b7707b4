/**
 * Admission before the routes that make the node work: each request has its bytes set aside, or is refused.
 *
 * Health, monitoring and the dashboard do without: they are what a person looks at while requests are refused. Reading or forgetting one
 * memory holds next to nothing, and forgetting gives room back: it is counted, asks for no room, and is never refused.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { admitRequests } from '../integrations/admission/hono.ts';
import type { Refusal } from '../pressure/admission/refusal.ts';
import { RequestRefusedError } from './refusal.ts';
import type { ServedNode } from './served-node.ts';

/** What a route is to the node. */
export type Work = 'json' | 'document' | 'one-memory';

/** A JSON body is there as chunks, as one buffer, as text, and as the values made of it. */
const JSON_BODY_FACTOR = 6;
/** A document goes to disk as it comes and is read in pieces, whatever its length. */
const DOCUMENT_BYTES = 1024 * 1024;

/** The middleware that admits requests for `work`; before anything that reads their bodies. */
export function admitted(work: Work, { node }: { node: ServedNode }): MiddlewareHandler {
  const cost = {
    json: { bodyFactor: JSON_BODY_FACTOR },
    document: { bodyFactor: 0, estimate: DOCUMENT_BYTES },
    'one-memory': { bodyFactor: 0, estimate: 0, priority: 0 },
  }[work];
  const onRefused = (refusal: Refusal, _context: Context): never => {
    throw refusal.reason === 'pressure' ? shedding(node) : refusal.toError();
  };
  // What it sets in the context is for handlers that use it; ours do not.
  return admitRequests({ admission: node.admission, onRefused, ...cost }) as MiddlewareHandler;
}

function shedding(node: ServedNode): RequestRefusedError {
  const { reason } = node.monitor.status().assessment;
  return new RequestRefusedError(
    'SHEDDING',
    `Memory pressure is critical (${reason}), so no new work is taken. Try again in a few seconds.`,
    { details: { reason } },
  );
}
