/**
 * The bytes of a request as they come, within limits: how many there may be, and how long each may keep us waiting.
 *
 * Nothing is gathered here; the next chunk is taken from the connection when the reader asks for it.
 */
import type { Clock } from '../base/clock.ts';
import { RequestRefusedError } from './refusal.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  /** Longest wait for the next bytes. */
  readonly idleMs: number;
  readonly clock: Clock;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** @throws RequestRefusedError `BODY_TOO_LARGE`, `BODY_TIMEOUT`; the signal's reason; the connection's error. */
export async function* boundedBody(request: Request, limits: BodyLimits): AsyncGenerator<Uint8Array, void, void> {
  if (Number(request.headers.get('content-length')) > limits.maxBytes) throw tooLarge(limits.maxBytes);
  if (!request.body) return;
  const reader = request.body.getReader();
  let readBytes = 0;
  try {
    for (;;) {
      const { done, value } = await within(limits, reader.read());
      if (done) return;
      readBytes += value.byteLength;
      if (readBytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
      yield value;
    }
  } finally {
    // What the client still sends is not read; cancelling fails when the connection is gone already.
    reader.cancel().catch(() => undefined);
  }
}

function within<T>({ clock, idleMs, signal }: BodyLimits, read: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    const onAbort = () => reject(signal.reason);
    const timer = clock.after(idleMs, () => reject(stalled(idleMs)));
    signal.addEventListener('abort', onAbort, { once: true });
    read.then(resolve, reject).finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    });
  });
}

function tooLarge(limitBytes: number): RequestRefusedError {
  return new RequestRefusedError(
    'BODY_TOO_LARGE',
    `The body is larger than ${limitBytes} bytes. Send it in parts, or raise the limit in the configuration (server).`,
    {
      details: { limitBytes },
    },
  );
}

function stalled(idleMs: number): RequestRefusedError {
  return new RequestRefusedError('BODY_TIMEOUT', `No byte of the body came for ${idleMs} ms. Send it again.`, {
    details: { idleMs },
  });
}
