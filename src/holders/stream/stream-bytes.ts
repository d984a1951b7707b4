/**
 * The bytes of a stream that somebody else reads: Node's, the web's, or any async iterable.
 *
 * Closing never waits for the source: one that hangs would hang whoever leaves. It is told to stop, in the way of its kind, and what it
 * then throws is nobody's concern any more.
 */
import type { ByteSource } from './byte-source.ts';
import { StreamSourceError } from './stream-errors.ts';

interface Pieces {
  next(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  stop(): unknown;
}

export interface StreamBytesOptions {
  readonly skipBytes: number;
  /** The packed source that this one unpacks, closed with it, and what the unpacking itself takes. */
  readonly over?: { readonly source: ByteSource; readonly ownBytes: number };
}

export class StreamBytes implements ByteSource {
  readonly #pieces: Pieces;
  readonly #over: ByteSource | undefined;
  readonly #ownBytes: number;
  #skipBytes: number;
  #bytes = 0;
  #heldBytes = 0;

  constructor(source: ReadableStream<Uint8Array> | AsyncIterable<unknown>, options: StreamBytesOptions) {
    this.#pieces = piecesOf(source);
    this.#over = options.over?.source;
    this.#ownBytes = options.over?.ownBytes ?? 0;
    this.#skipBytes = options.skipBytes;
  }

  get totalBytes(): number | null {
    return this.#over?.totalBytes ?? null;
  }

  get receivedBytes(): number {
    return this.#over?.receivedBytes ?? this.#bytes;
  }

  get bufferBytes(): number {
    return this.#heldBytes + this.#ownBytes + (this.#over?.bufferBytes ?? 0);
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      let piece: Awaited<ReturnType<Pieces['next']>>;
      try {
        piece = await this.#pieces.next();
      } catch (cause) {
        if (cause instanceof StreamSourceError) throw cause;
        throw new StreamSourceError({ reason: this.#over ? 'decompress' : 'read', byteOffset: this.#bytes, cause });
      }
      if (piece.done) return this.#atEnd();
      const bytes = bytesOf(piece.value);
      if (bytes === null) {
        const problem = 'it gave something that is neither bytes nor text';
        throw new StreamSourceError({ reason: 'chunk', byteOffset: this.#bytes, problem });
      }
      this.#bytes += bytes.length;
      this.#heldBytes = bytes.length;
      const skipped = Math.min(this.#skipBytes, bytes.length);
      this.#skipBytes -= skipped;
      if (bytes.length > skipped) return bytes.subarray(skipped);
    }
  }

  setReading(reading: { bytes: number; ahead: boolean }): void {
    this.#over?.setReading(reading);
  }

  async dropAhead(): Promise<number> {
    return (await this.#over?.dropAhead()) ?? 0;
  }

  async close(): Promise<void> {
    try {
      Promise.resolve(this.#pieces.stop()).catch(() => {});
    } finally {
      await this.#over?.close();
    }
  }

  #atEnd(): null {
    if (this.#skipBytes === 0) return null;
    const problem = `it ends ${this.#skipBytes} bytes before the place to resume at; it is another source`;
    throw new StreamSourceError({ reason: 'truncated', byteOffset: this.#bytes, problem });
  }
}

function piecesOf(source: ReadableStream<Uint8Array> | AsyncIterable<unknown>): Pieces {
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return { next: () => reader.read(), stop: () => reader.cancel() };
  }
  const iterator = source[Symbol.asyncIterator]();
  const destroy = 'destroy' in source && typeof source.destroy === 'function' ? source.destroy.bind(source) : null;
  return { next: () => iterator.next(), stop: () => (destroy ? destroy() : iterator.return?.()) };
}

function bytesOf(value: unknown): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  return value instanceof ArrayBuffer ? new Uint8Array(value) : null;
}
