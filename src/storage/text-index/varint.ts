/**
 * Reading and writing of variable-length integers (LEB128, unsigned, up to 2^32 - 1) and of keys in byte arrays.
 *
 * Postings and document tables are sequences of small numbers; seven bits a byte keeps most of them in one.
 */

/** A growing byte array. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(initialCapacity = 256) {
    this.#bytes = new Uint8Array(initialCapacity);
  }

  get length(): number {
    return this.#length;
  }

  writeVarint(value: number): void {
    if (this.#length + 5 > this.#bytes.length) this.#grow(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Writes the length of a key, then its bytes. */
  writeKey(key: string): void {
    this.writeVarint(key.length);
    if (this.#length + key.length > this.#bytes.length) this.#grow(key.length);
    for (let index = 0; index < key.length; index++) this.#bytes[this.#length++] = key.charCodeAt(index);
  }

  /** A copy of what was written, in memory of its own. */
  toBytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** A view of what was written, until the next write. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written and keeps the room for it. */
  clear(): void {
    this.#length = 0;
  }

  #grow(count: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** A position in a byte array. Reading past the end yields zeros and leaves `exhausted` true: the caller checks lengths. */
export class ByteReader {
  readonly #bytes: Buffer;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get exhausted(): boolean {
    return this.position >= this.#bytes.length;
  }

  readVarint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.position++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let shift = 7;
    do {
      byte = bytes[this.position++]!;
      value |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80 && shift < 35);
    return value >>> 0;
  }

  /** Reads what `writeKey` wrote. */
  readKey(): string {
    const length = this.readVarint();
    this.position += length;
    return this.#bytes.toString('latin1', this.position - length, this.position);
  }

  /** Skips what `writeKey` wrote; true when it is this key. */
  skipKeyIs(key: string): boolean {
    const length = this.readVarint();
    const start = this.position;
    this.position += length;
    if (length !== key.length) return false;
    for (let index = 0; index < length; index++) {
      if (this.#bytes[start + index] !== key.charCodeAt(index)) return false;
    }
    return true;
  }

  skip(count: number): void {
    this.position += count;
  }

  /** A view, not a copy. */
  readBytes(count: number): Uint8Array {
    this.position += count;
    return this.#bytes.subarray(this.position - count, this.position);
  }
}
