/**
 * JSON bodies, checked before anything looks into them: media type, size, patience, UTF-8, syntax, depth.
 *
 * Each trouble has its own code, and the parsed value is handed to the route's validation, so a body is read and parsed once.
 */
import type { MiddlewareHandler } from 'hono';
import { messageOf } from '../base/errors.ts';
import { type BodyLimits, boundedBody } from './bounded-body.ts';
import { RequestRefusedError } from './refusal.ts';

/** Nesting that no request of ours needs, far below what recursion over the value could not take. */
export const JSON_DEPTH_LIMIT = 64;

/** Reads the JSON body; the request's signal is taken from the context. */
export function jsonBody(
  limits: Omit<BodyLimits, 'signal'>,
): MiddlewareHandler<{ Variables: { signal: AbortSignal } }> {
  return async (c, next) => {
    const mediaType = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
    if (mediaType !== 'application/json') {
      throw new RequestRefusedError(
        'UNSUPPORTED_MEDIA_TYPE',
        'Send the body as JSON with content-type: application/json.',
        {
          details: { mediaType: mediaType ?? null },
        },
      );
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of boundedBody(c.req.raw, { ...limits, signal: c.get('signal') })) chunks.push(chunk);
    const value = parseJson(Buffer.concat(chunks));
    c.req.json = () => Promise.resolve(value as never);
    await next();
  };
}

/** @throws RequestRefusedError `INVALID_UTF8`, `INVALID_JSON`, `JSON_TOO_DEEP` */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RequestRefusedError('INVALID_UTF8', 'The body is not valid UTF-8. Encode the text as UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RequestRefusedError('INVALID_JSON', `The body is not valid JSON: ${messageOf(error)}`);
  }
  requireShallow(value);
  return value;
}

/** Goes down level by level, so depth costs no stack. */
function requireShallow(value: unknown): void {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > JSON_DEPTH_LIMIT) {
      throw new RequestRefusedError('JSON_TOO_DEEP', `The body nests deeper than ${JSON_DEPTH_LIMIT} levels.`, {
        details: { limit: JSON_DEPTH_LIMIT },
      });
    }
    level = level.flatMap((node) => (typeof node === 'object' && node !== null ? Object.values(node) : []));
  }
}
