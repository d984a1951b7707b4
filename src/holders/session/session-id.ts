/**
 * Ids of sessions. Whoever knows one has the session, so nobody may guess it: OWASP asks for 64 bits of chance at least; here are 192, from
 * the system's generator and not from the seeded one.
 */
import { randomBytes } from 'node:crypto';

const ID_BYTES = 24;

/** A new id, in base64url. */
export function newSessionId(): string {
  return randomBytes(ID_BYTES).toString('base64url');
}
