/**
 * Values to bytes and back.
 *
 * What is kept in memory is what decoding gives back, not what was handed in: so a reader gets the same whether the session was on disk
 * in between or not, a codec that cannot read its own bytes is found while the caller can still be told, and nobody holds a reference
 * by which he could change the pool's copy. That copy is frozen: a change that never reaches the disk would be a lost one.
 */
import { promisify } from 'node:util';
import { deflate, inflate, constants as zlib } from 'node:zlib';
import type { StoredBytes, StoredSession } from '../../storage/session-store.ts';
import { SessionCodecError, SessionDamagedError, SessionTooLargeError, SessionValueError } from './session-errors.ts';
import { requireStorable } from './storable.ts';

/** Makes bytes of a value, and the value of bytes. Called with values, and with lists of items. */
export interface SessionCodec {
  /** May throw; the session is not written then. */
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

/** A value as it is kept, and as readers get it. */
export interface Encoded<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

const deflated = promisify(deflate);
const inflated = promisify(inflate);
const FASTEST = { level: zlib.Z_BEST_SPEED };

/** Encodes and decodes for one pool, with its bound. */
export class SessionCoder {
  readonly #codec: SessionCodec | undefined;
  readonly #maxBytes: number;

  /** Without a codec values are JSON. */
  constructor(options: { codec: SessionCodec | undefined; maxBytes: number }) {
    this.#codec = options.codec;
    this.#maxBytes = options.maxBytes;
  }

  /** @throws SessionValueError, SessionCodecError, SessionTooLargeError */
  encode<T>(id: string, value: T, name: 'value' | 'items'): Encoded<T> {
    const bytes = this.#bytesOf(id, value, name);
    try {
      return { bytes, value: frozen(this.#decoded<T>(bytes)) };
    } catch (cause) {
      throw new SessionCodecError({ id, problem: 'does not decode what it has encoded', cause });
    }
  }

  /** The bytes alone, for what is not kept in memory; a codec of the user's is tried all the same. @throws as `encode` */
  encodeBytes(id: string, value: unknown, name: 'value' | 'items'): Uint8Array {
    return this.#codec ? this.encode(id, value, name).bytes : this.#bytesOf(id, value, name);
  }

  /** @throws SessionDamagedError */
  async decode<T>(id: string, stored: StoredBytes): Promise<Encoded<T>> {
    try {
      const bytes = await this.#plain(stored);
      return { bytes, value: frozen(this.#decoded<T>(bytes)) };
    } catch (cause) {
      throw new SessionDamagedError({ id, cause });
    }
  }

  /** The items of all chunks in one list, and what they took encoded. @throws SessionDamagedError */
  async decodeItems<I>(
    id: string,
    { items: chunks, droppedItems }: Pick<StoredSession, 'items' | 'droppedItems'>,
  ): Promise<{ items: readonly I[]; bytes: number }> {
    const items: I[] = [];
    let bytes = 0;
    for (const chunk of chunks) {
      const list = await this.decode<unknown>(id, chunk);
      if (!Array.isArray(list.value) || list.value.length !== chunk.count) {
        const cause = new Error(`a list of ${chunk.count} items is expected`);
        throw new SessionDamagedError({ id, cause });
      }
      for (const item of list.value) items.push(item as I);
      bytes += list.bytes.byteLength;
    }
    return { items: Object.freeze(items.slice(droppedItems)), bytes };
  }

  /** Bytes deflated on another thread, if that makes them smaller. */
  async pack(bytes: Uint8Array): Promise<StoredBytes> {
    const packed = await deflated(bytes, FASTEST);
    return packed.byteLength < bytes.byteLength ? { form: 'deflate', bytes: packed } : { form: 'plain', bytes };
  }

  refuseSize(id: string, bytes: number): never {
    throw new SessionTooLargeError({ id, bytes, limitBytes: this.#maxBytes });
  }

  #bytesOf(id: string, value: unknown, name: 'value' | 'items'): Uint8Array {
    const bytes = this.#codec ? this.#encoded(id, value, this.#codec) : this.#json(value, name);
    if (bytes.byteLength > this.#maxBytes) this.refuseSize(id, bytes.byteLength);
    return bytes;
  }

  #json(value: unknown, name: string): Uint8Array {
    requireStorable(value, { name, mostValues: this.#maxBytes });
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new SessionValueError({ path: name, problem: 'cannot be written as JSON', cause });
    }
    if (text === undefined) throw new SessionValueError({ path: name, problem: 'has no JSON' });
    return Buffer.from(text);
  }

  #encoded(id: string, value: unknown, codec: SessionCodec): Uint8Array {
    let bytes: unknown;
    try {
      bytes = codec.encode(value);
    } catch (cause) {
      throw new SessionCodecError({ id, problem: 'refused the value', cause });
    }
    if (!(bytes instanceof Uint8Array)) throw new SessionCodecError({ id, problem: 'returned no Uint8Array' });
    return bytes;
  }

  #decoded<T>(bytes: Uint8Array): T {
    if (this.#codec) return this.#codec.decode(bytes) as T;
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()) as T;
  }

  async #plain({ form, bytes }: StoredBytes): Promise<Uint8Array> {
    // No more than a session may have: a few damaged bytes could unfold to gigabytes.
    return form === 'plain' ? bytes : inflated(bytes, { maxOutputLength: this.#maxBytes });
  }
}

/** Records and lists frozen all the way down; objects of other kinds, which a codec may make, are left as they are. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!isPlain) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) frozen(inner);
  return value;
}
