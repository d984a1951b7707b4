/**
 * Binary records: all of one size, or each after its length.
 *
 * A length is an unsigned whole number of 1, 2 or 4 bytes, big-endian unless said otherwise, and does not count itself. A record is
 * copied out when it is asked for: what the consumer keeps is as large as the record, not as the chunk.
 */
import { BadItem, Block, type Format, type FormatKind, type FormatStart } from './block.ts';
import { Carry } from './carry.ts';

/** How binary records are laid out: all of one size, or each after its length. */
export type BinaryLayout =
  | { readonly recordBytes: number }
  | { readonly lengthBytes: 1 | 2 | 4; readonly littleEndian?: boolean };

export function binaryKind(layout: BinaryLayout): FormatKind<number, Uint8Array> {
  return {
    ...{ name: 'binary', where: 'native', expansion: 4, resumesAt: 'byte' },
    start: (start) => new BinaryFormat(start, layout),
  };
}

class BinaryFormat implements Format<number, Uint8Array> {
  readonly #layout: BinaryLayout;
  readonly #prefixBytes: number;
  readonly #maxRecordBytes: number;
  readonly #carry = new Carry(Number.MAX_SAFE_INTEGER);
  /** Offset of the first record that has not been cut. */
  #bytes: number;
  /** What the carried record lacks of what is known to belong to it. */
  #lackBytes = 0;
  /** Bytes still to come of a record that is left out. */
  #ignoredBytes = 0;

  constructor(start: FormatStart, layout: BinaryLayout) {
    this.#layout = layout;
    this.#prefixBytes = 'lengthBytes' in layout ? layout.lengthBytes : 0;
    this.#maxRecordBytes = start.maxRecordBytes;
    this.#bytes = start.startBytes;
  }

  get heldBytes(): number {
    return this.#carry.heldBytes;
  }

  push(chunk: Uint8Array): Block<number> {
    const block = this.#block();
    const ignored = Math.min(this.#ignoredBytes, chunk.length);
    this.#ignoredBytes -= ignored;
    const fresh = chunk.subarray(ignored);
    if (fresh.length < this.#lackBytes) {
      this.#carry.add(fresh);
      this.#lackBytes -= fresh.length;
    } else if (fresh.length > 0) {
      this.#cut(block, this.#carry.heldBytes > 0 ? this.#carry.take(fresh) : fresh);
    }
    return block;
  }

  end(): Block<number> {
    const block = this.#block();
    const { heldBytes } = this.#carry;
    if (heldBytes > 0) block.add(new BadItem(`the source ends after ${heldBytes} bytes of it`), heldBytes);
    this.#carry.clear();
    return block;
  }

  decode(start: number, block: Block<number>, index: number): Uint8Array {
    return new Uint8Array(block.bytes!.subarray(start, block.ends[index]));
  }

  #block(): Block<number> {
    return new Block({ startBytes: this.#bytes, startLines: 0 });
  }

  #cut(block: Block<number>, bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    block.bytes = bytes;
    this.#lackBytes = 0;
    let at = 0;
    while (at < bytes.length) {
      const start = at + this.#prefixBytes;
      const bodyBytes = start <= bytes.length ? this.#bodyBytes(view, at) : 0;
      const end = start + bodyBytes;
      if (bodyBytes > this.#maxRecordBytes) {
        block.add(new BadItem(null), end);
        this.#ignoredBytes = Math.max(0, end - bytes.length);
      } else if (end > bytes.length) {
        this.#lackBytes = end - bytes.length;
        break;
      } else {
        block.add(start, end);
      }
      at = end;
    }
    this.#bytes += at;
    if (at < bytes.length) this.#carry.add(bytes.subarray(at));
  }

  #bodyBytes(bytes: DataView, offset: number): number {
    if ('recordBytes' in this.#layout) return this.#layout.recordBytes;
    const { lengthBytes, littleEndian = false } = this.#layout;
    if (lengthBytes === 1) return bytes.getUint8(offset);
    return lengthBytes === 2 ? bytes.getUint16(offset, littleEndian) : bytes.getUint32(offset, littleEndian);
  }
}
