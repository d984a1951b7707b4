/**
 * The requests that are being answered, so that closing can wait for them and, when it has waited long enough, end them.
 *
 * Each has a signal for whatever it waits on: it aborts when the client goes away, and when the server can wait no longer.
 */
import { RequestRefusedError } from './refusal.ts';

export interface RequestInFlight extends Disposable {
  readonly signal: AbortSignal;
}

export class RequestsInFlight {
  readonly #controllers = new Set<AbortController>();

  get size(): number {
    return this.#controllers.size;
  }

  /** `client` aborts when the connection is lost. */
  begin(client: AbortSignal): RequestInFlight {
    const controller = new AbortController();
    const onLost = () => controller.abort(new RequestRefusedError('CLIENT_GONE', 'The client closed the connection.'));
    client.addEventListener('abort', onLost, { once: true });
    this.#controllers.add(controller);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        client.removeEventListener('abort', onLost);
        this.#controllers.delete(controller);
      },
    };
  }

  abortAll(reason: Error): void {
    for (const controller of this.#controllers) controller.abort(reason);
  }
}
