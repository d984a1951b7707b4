/** Errors that are the server's own: a request it will not take, an address it will not listen on. */
import { TenureError } from '../base/errors.ts';

/** A request that is refused before it reaches the node. */
export class RequestRefusedError extends TenureError {
  override readonly name = 'RequestRefusedError';
}

/** The server cannot listen. */
export class ListenError extends TenureError {
  override readonly name = 'ListenError';
}
