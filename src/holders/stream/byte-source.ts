/** The port between a stream and whatever its bytes come from. */

/** A path, a `file:` URL, a web or Node stream, or anything that gives bytes one piece after the other. */
export type StreamSource = string | URL | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

export type Compression = 'gzip' | 'deflate' | 'brotli';

export interface ByteSource {
  /** Null when nobody knows. */
  readonly totalBytes: number | null;
  /** Bytes that came from outside, before decompression. */
  readonly receivedBytes: number;
  /** Bytes of its buffers. */
  readonly bufferBytes: number;
  /** The next bytes, never none; null at the end. They are valid until the next call. */
  read(): Promise<Uint8Array | null>;
  /** How many bytes to read at a time from now on, and whether before they are asked for. */
  setReading(reading: { bytes: number; ahead: boolean }): void;
  /** Drops what was read ahead, if that can be read again; bytes freed. */
  dropAhead(): Promise<number>;
  close(): Promise<void>;
}
