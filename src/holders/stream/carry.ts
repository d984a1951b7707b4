/**
 * The unfinished record at the end of a chunk, kept until the rest of it comes.
 *
 * Bytes are copied: the chunk's buffer is read into again, and a few bytes must not keep a chunk alive. They are put together once,
 * when the record is whole, so a record over many chunks costs no more than its size. A record that outgrows the bound is dropped at
 * once and the rest of it is only counted.
 */
export class Carry {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #heldBytes = 0;
  #sizeBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes kept. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Bytes of the record so far, kept or not. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isTooLarge(): boolean {
    return this.#sizeBytes > this.#maxBytes;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#sizeBytes += bytes.length;
    if (this.isTooLarge) {
      this.#pieces = [];
      this.#heldBytes = 0;
      return;
    }
    this.#pieces.push(Uint8Array.prototype.slice.call(bytes));
    this.#heldBytes += bytes.length;
  }

  /** What was kept and `rest`, as one; the carry is empty then. */
  take(rest: Uint8Array): Buffer {
    const whole = Buffer.concat([...this.#pieces, rest], this.#heldBytes + rest.length);
    this.clear();
    return whole;
  }

  clear(): void {
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#sizeBytes = 0;
  }
}
