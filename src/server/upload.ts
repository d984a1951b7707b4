/**
 * A document that arrives over HTTP, kept on disk until it is whole.
 *
 * Taking a document in may read it twice, and half a document that a lost connection leaves behind must not be taken for the
 * whole: so the bytes go to a file first, in constant memory. The file has no name while it is used (where the system allows
 * it), so nothing is left behind even when the process is killed.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { RequestRefusedError } from './refusal.ts';

export class Upload implements AsyncDisposable {
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #path: string;

  private constructor(handle: FileHandle, path: string, sizeBytes: number) {
    this.#handle = handle;
    this.#path = path;
    this.sizeBytes = sizeBytes;
  }

  /**
   * Keeps `chunks` in a file under `directory`.
   *
   * @throws RequestRefusedError `UPLOAD_FAILED` when the disk cannot take it, and whatever `chunks` throws.
   */
  static async receive(chunks: AsyncIterable<Uint8Array>, directory: string): Promise<Upload> {
    const folder = join(directory, 'incoming');
    const path = join(folder, randomUUID());
    const handle = await onDisk(async () => {
      await mkdir(folder, { recursive: true });
      return open(path, 'wx+', 0o600);
    });
    try {
      if (process.platform !== 'win32') await onDisk(() => rm(path));
      let sizeBytes = 0;
      for await (const chunk of chunks) {
        await onDisk(() => handle.writeFile(chunk));
        sizeBytes += chunk.byteLength;
      }
      return new Upload(handle, path, sizeBytes);
    } catch (error) {
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** The bytes from the beginning; may be called again. */
  read(): AsyncIterable<Uint8Array> {
    return this.#handle.createReadStream({ start: 0, autoClose: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}

async function onDisk<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new RequestRefusedError(
      'UPLOAD_FAILED',
      `The document could not be kept while it arrived: ${messageOf(cause)}. Nothing of it was taken in.`,
      { cause },
    );
  }
}
