/**
 * How much a JSON text may take once it is parsed, from above and without parsing it.
 *
 * A text of brackets takes thirty times its size as arrays, so its length alone bounds nothing. Counted are the parts that cost: an object
 * or array with its header and backing store, a slot and a boxed number for each element, the text itself (twice, for one character
 * outside Latin-1 doubles a string). About 1 ns for each character; only large records are weighed.
 */

/** An object with a map of its own and a few properties, or an array with its elements. */
const CONTAINER_BYTES = 96;
/** A slot, and a number or a string's header. */
const ELEMENT_BYTES = 40;
const CHARACTER_BYTES = 2;

/** Bytes of heap, in the worst case, for `text` when parsed. Characters inside strings are counted as if they stood outside. */
export function weighJson(text: string): number {
  let containers = 0;
  let elements = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // `{` and `[` differ in bit 5 only.
    if ((code | 0x20) === 0x7b) containers++;
    else if (code === 0x2c) elements++;
  }
  return jsonWeight({ containers, elements, characters: text.length });
}

export function jsonWeight(parts: { containers: number; elements: number; characters: number }): number {
  return parts.containers * CONTAINER_BYTES + parts.elements * ELEMENT_BYTES + parts.characters * CHARACTER_BYTES;
}
