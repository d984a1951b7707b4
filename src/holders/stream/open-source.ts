/**
 * Where the bytes of a stream come from.
 *
 *   path, file URL ──▶ FileBytes: read ahead into two buffers, from any offset
 *   pipe           ──▶ a socket over its descriptor: no thread is held by a pipe that nobody writes to
 *   Node stream, web stream, async iterable ──▶ StreamBytes
 *   compressed     ──▶ StreamBytes over zlib, which stops when nobody reads: a bomb unpacks one piece at a time
 *
 * A source is closed once, whatever it is doing; a read that waits then never ends, so whoever waits must know of the closing.
 */
import { constants, open as openDescriptor } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { KIB } from '../../base/bytes.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import type { ByteSource, Compression, StreamSource } from './byte-source.ts';
import { FileBytes } from './file-bytes.ts';
import { StreamBytes } from './stream-bytes.ts';
import { StreamSourceError } from './stream-errors.ts';

/** zlib gives what it has unpacked in pieces of this size. */
const UNPACKED_BYTES = 64 * KIB;
/** Its window, its state, the piece it works on and the one it has made. */
const UNPACKER_BYTES = 256 * KIB;

export interface OpenOptions {
  readonly source: StreamSource;
  readonly compression: Compression | null;
  /** Bytes to leave out, after decompression. */
  readonly startBytes: number;
  readonly readBytes: number;
}

/** @throws InvalidArgumentError for what is no source. */
export function requireSource(source: StreamSource): void {
  if (typeof source === 'string' && source !== '') return;
  if (source instanceof URL && source.protocol === 'file:') return;
  if (typeof source === 'object' && source !== null && !(source instanceof URL)) {
    if (source instanceof ReadableStream || typeof source[Symbol.asyncIterator] === 'function') return;
  }
  throw new InvalidArgumentError(
    'source',
    'must be a path, a file: URL, a web or Node stream, or an async iterable of bytes; fetch other URLs yourself and pass the body.',
  );
}

/** gzip where a path or URL ends with `.gz`. */
export function compressionOf(source: StreamSource): Compression | null {
  if (typeof source !== 'string' && !(source instanceof URL)) return null;
  return /\.gz$/i.test(source instanceof URL ? source.pathname : source) ? 'gzip' : null;
}

/** @throws StreamSourceError when it cannot be opened. */
export async function openSource(options: OpenOptions): Promise<ByteSource> {
  const { source, compression, startBytes, readBytes } = options;
  const isFile = typeof source === 'string' || source instanceof URL;
  const skipBytes = isFile && compression === null ? 0 : startBytes;
  const raw = isFile
    ? await openFile(source, { startBytes: compression === null ? startBytes : 0, readBytes })
    : takeOver(source, { skipBytes: compression === null ? skipBytes : 0 });
  if (compression === null) return raw;
  const over = { source: raw, ownBytes: UNPACKER_BYTES };
  return new StreamBytes(unpacked(raw, compression), { skipBytes, over });
}

async function openFile(
  source: string | URL,
  { startBytes, readBytes }: { startBytes: number; readBytes: number },
): Promise<ByteSource> {
  const path = typeof source === 'string' ? source : fileURLToPath(source);
  let file: FileHandle | undefined;
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new Error(`${path} is a folder`);
    if (found.isFIFO()) return new StreamBytes(await openPipe(path), { skipBytes: startBytes });
    file = await open(path);
    const totalBytes = found.isFile() ? (await file.stat()).size : null;
    if (totalBytes !== null && startBytes > totalBytes) {
      throw new Error(`${path} has ${totalBytes} bytes, fewer than the ${startBytes} read before; it is another file`);
    }
    return new FileBytes(file, { startBytes, readBytes, totalBytes });
  } catch (cause) {
    await file?.close();
    throw new StreamSourceError({ reason: 'open', byteOffset: 0, cause });
  }
}

/** A stream that somebody else reads already, for one, cannot be taken over. */
function takeOver(source: Exclude<StreamSource, string | URL>, options: { skipBytes: number }): StreamBytes {
  try {
    return new StreamBytes(source, options);
  } catch (cause) {
    throw new StreamSourceError({ reason: 'open', byteOffset: 0, cause });
  }
}

/** Without O_NONBLOCK, to open a pipe is to wait for its writer, on a thread of the pool. */
async function openPipe(path: string): Promise<Socket> {
  const fd = await promisify(openDescriptor)(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0), 0);
  return new Socket({ fd, readable: true, writable: false });
}

function unpacked(raw: ByteSource, compression: Compression): Readable {
  const create = { gzip: createGunzip, deflate: createInflate, brotli: createBrotliDecompress }[compression];
  const packed = Readable.from(pieces(raw), { objectMode: false });
  const unpacker = create({ chunkSize: UNPACKED_BYTES });
  packed.on('error', (error) => unpacker.destroy(error));
  unpacker.on('close', () => packed.destroy());
  return packed.pipe(unpacker);
}

async function* pieces(raw: ByteSource): AsyncGenerator<Uint8Array> {
  // zlib works on a thread of its own and reads them later: copies, for the buffer is read into again.
  for (let bytes = await raw.read(); bytes !== null; bytes = await raw.read()) yield Buffer.from(bytes);
}
