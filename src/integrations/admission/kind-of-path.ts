/**
 * A kind of request from its method and path, for frameworks that tell the route only after it has been taken.
 *
 * The first two parts of the path, with what looks like an id (it has a digit, or is long) made `:id`: few kinds, and about one for each
 * route.
 */

const PARTS = 2;
const LONGEST_WORD = 24;

export function kindOfPath(method: string, path: string): string {
  let kind = method;
  let start = 1;
  for (let count = 0; count < PARTS && start < path.length; count++) {
    const end = path.indexOf('/', start);
    const part = path.slice(start, end < 0 ? path.length : end);
    kind += count === 0 ? ' /' : '/';
    kind += looksLikeId(part) ? ':id' : part;
    start += part.length + 1;
  }
  return start === 1 ? `${method} /` : kind;
}

function looksLikeId(part: string): boolean {
  if (part.length > LONGEST_WORD) return true;
  for (let index = 0; index < part.length; index++) {
    const code = part.charCodeAt(index);
    if (code >= 0x30 && code <= 0x39) return true;
  }
  return false;
}
