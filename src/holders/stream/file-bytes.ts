/**
 * The bytes of a file, read ahead.
 *
 * Two buffers: while one is being used the next is read, so disk and parser work at the same time and no chunk leaves garbage. A file
 * that grows is read to the end it has by then; one that ends before the size it had at the start was truncated, and that is said.
 */
import type { FileHandle } from 'node:fs/promises';
import type { ByteSource } from './byte-source.ts';
import { StreamSourceError } from './stream-errors.ts';

interface Filled {
  readonly buffer: Uint8Array;
  readonly bytes: number;
}

export class FileBytes implements ByteSource {
  readonly #file: FileHandle;
  readonly #isSeekable: boolean;
  readonly #sizeBytes: number | null;
  readonly #startBytes: number;
  /** Where the next read begins. */
  #position: number;
  #readBytes: number;
  #inUse: Uint8Array | null = null;
  #spare: Uint8Array | null = null;
  #ahead: Promise<Filled> | null = null;
  #readsAhead = true;
  #isClosed = false;

  constructor(file: FileHandle, options: { startBytes: number; readBytes: number; totalBytes: number | null }) {
    this.#file = file;
    this.#startBytes = options.startBytes;
    this.#position = options.startBytes;
    this.#readBytes = options.readBytes;
    this.#sizeBytes = options.totalBytes;
    this.#isSeekable = options.totalBytes !== null;
  }

  get totalBytes(): number | null {
    return this.#sizeBytes === null ? null : Math.max(this.#sizeBytes, this.#position) - this.#startBytes;
  }

  get receivedBytes(): number {
    return this.#position - this.#startBytes;
  }

  /** Both buffers, also while one has yet to be made. */
  get bufferBytes(): number {
    return this.#readBytes * (this.#readsAhead ? 2 : 1);
  }

  async read(): Promise<Uint8Array | null> {
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead === null) this.#spare = this.#inUse;
    const { buffer, bytes } = await (ahead ?? this.#fill());
    if (ahead !== null && this.#readsAhead) this.#spare = this.#inUse;
    this.#inUse = buffer;
    if (bytes === 0) return this.#atEnd();
    this.#position += bytes;
    if (this.#readsAhead && !this.#isClosed) {
      this.#ahead = this.#fill();
      // It is awaited by the next read, which may never come.
      this.#ahead.catch(() => {});
    }
    return buffer.subarray(0, bytes);
  }

  setReading({ bytes, ahead }: { bytes: number; ahead: boolean }): void {
    this.#readBytes = bytes;
    this.#readsAhead = ahead;
  }

  /** What was read ahead is read again when it is wanted. */
  async dropAhead(): Promise<number> {
    if (!this.#isSeekable || !this.#readsAhead) return 0;
    this.#readsAhead = false;
    const ahead = this.#ahead;
    this.#ahead = null;
    this.#spare = null;
    await ahead?.catch(() => {});
    return this.#readBytes;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#file.close();
  }

  async #fill(): Promise<Filled> {
    const buffer = this.#spare?.length === this.#readBytes ? this.#spare : Buffer.allocUnsafeSlow(this.#readBytes);
    this.#spare = null;
    const position = this.#isSeekable ? this.#position : null;
    try {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, position);
      return { buffer, bytes: bytesRead };
    } catch (cause) {
      throw new StreamSourceError({ reason: 'read', byteOffset: this.#position, cause });
    }
  }

  #atEnd(): null {
    if (this.#sizeBytes === null || this.#position >= this.#sizeBytes) return null;
    const problem = `the file had ${this.#sizeBytes} bytes when it was opened and was truncated while it was read`;
    throw new StreamSourceError({ reason: 'truncated', byteOffset: this.#position, problem });
  }
}
