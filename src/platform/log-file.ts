/**
 * The log file: rotated by size, the old ones compressed and numbered, the newest `.1.gz`.
 *
 * A log must not end what it tells about. A file that fails later (a full disk) is reported once and left; lines wait for a
 * slow disk only up to a bound, and are then dropped and counted.
 */
import { once } from 'node:events';
import { basename, dirname } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { MIB } from '../base/bytes.ts';
import { messageOf, TenureError } from '../base/errors.ts';

/** What may wait for the disk. */
const WAITING_LIMIT_BYTES = 4 * MIB;

/** The log file cannot be written. Code `LOG_UNWRITABLE`. */
export class LogUnwritableError extends TenureError {
  override readonly name = 'LogUnwritableError';
  constructor(path: string, cause: unknown) {
    super(
      'LOG_UNWRITABLE',
      `The log file ${path} cannot be written: ${messageOf(cause)}. Choose another with log.file.`,
      {
        details: { path },
        cause,
      },
    );
  }
}

export interface LogFileOptions {
  readonly path: string;
  readonly maxSizeBytes: number;
  /** Rotated files to keep. */
  readonly keep: number;
  /** Told once when the file fails after it was opened. */
  readonly onFailure: (error: LogUnwritableError) => void;
}

export class LogFile implements AsyncDisposable {
  readonly #stream: RotatingFileStream;
  #dropped = 0;
  #failed = false;
  #closing: Promise<void> | undefined;

  private constructor(stream: RotatingFileStream, options: LogFileOptions) {
    this.#stream = stream;
    stream.on('error', (error) => {
      if (!this.#failed) options.onFailure(new LogUnwritableError(options.path, error));
      this.#failed = true;
    });
  }

  /** @throws LogUnwritableError */
  static async open(options: LogFileOptions): Promise<LogFile> {
    const name = basename(options.path);
    const stream = createStream((index) => (index ? `${name}.${index}.gz` : name), {
      path: dirname(options.path),
      size: `${options.maxSizeBytes}B`,
      rotate: options.keep,
      compress: 'gzip',
      mode: 0o600,
    });
    try {
      await once(stream, 'open');
    } catch (error) {
      throw new LogUnwritableError(options.path, error);
    }
    return new LogFile(stream, options);
  }

  /** Lines that were dropped because the disk was too slow or had failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Writes one line, its line feed included. */
  write(line: string): void {
    if (this.#failed || this.#closing || this.#stream.writableLength > WAITING_LIMIT_BYTES) this.#dropped++;
    else this.#stream.write(line);
  }

  /** Resolves when everything is written. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      if (this.#failed) resolve();
      else this.#stream.end(() => resolve());
    });
    return this.#closing;
  }
}
