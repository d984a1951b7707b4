/**
 * Loopback only, until there are keys: the server neither listens elsewhere nor answers to another name.
 *
 * Listening on 127.0.0.1 does not keep web pages out. A page may send requests to any address (so requests another site started
 * are refused by what the browser says of them, `Sec-Fetch-Site` and `Origin`), and a name under its control may come to mean
 * 127.0.0.1 (DNS rebinding: so only loopback names are answered). See https://fetch.spec.whatwg.org/#sec-fetch-site-header.
 */
import { isIPv4 } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { ListenError, RequestRefusedError } from './refusal.ts';

const LOOPBACK_NAMES = new Set(['localhost', '::1', '[::1]']);

/** True for names that mean this machine to everyone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.has(host.toLowerCase()) || (isIPv4(host) && host.startsWith('127.'));
}

/** @throws ListenError `SERVER_NOT_LOOPBACK` */
export function requireLoopback(host: string): void {
  if (isLoopback(host)) return;
  throw new ListenError(
    'SERVER_NOT_LOOPBACK',
    `The server does not listen on ${host}: it has no access control yet and would be open to the network. Set server.host to 127.0.0.1, and put a proxy with authentication before it if others need it.`,
    { details: { host } },
  );
}

/** Refuses requests under a foreign name, and requests that another site made the browser send. */
export const refuseForeign: MiddlewareHandler = async (c, next) => {
  const host = c.req.header('host') ?? '';
  if (!isLoopback(host.replace(/:\d+$/, ''))) {
    throw new RequestRefusedError('HOST_NOT_ALLOWED', `This server answers to localhost, not to "${host}".`, {
      details: { host },
    });
  }
  const site = c.req.header('sec-fetch-site');
  const origin = c.req.header('origin');
  const opened = c.req.method === 'GET' && c.req.header('sec-fetch-mode') === 'navigate';
  const foreign = site
    ? site !== 'same-origin' && site !== 'none'
    : origin !== undefined && origin !== `http://${host}`;
  if (foreign && !opened) {
    throw new RequestRefusedError(
      'CROSS_SITE_REFUSED',
      'Another site made the browser send this request. Open the dashboard itself, or call from a program.',
    );
  }
  await next();
};
