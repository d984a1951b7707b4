/**
 * 32 bits of any key, by which sketches and ghosts know a key that is not held. The same whenever the key comes, and different from
 * process to process by the seed, so that nobody can choose keys that collide.
 *
 * Equal keys (in the sense of `Map`) have equal hashes. Objects are told apart by identity, through a weak table of numbers. A long
 * text is read in part: its beginning, its end, and places between.
 */
const LONG_TEXT = 512;
const PART = 160;

/** Hashes keys with one seed. */
export class KeyHasher {
  readonly #seed: number;
  #numbers: WeakMap<object, number> | null = null;
  #lastNumber = 0;

  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** A signed whole number of 32 bits. */
  hash(key: unknown): number {
    switch (typeof key) {
      case 'string':
        return hashText(key, this.#seed);
      case 'number':
        // Whole numbers of 32 bits take the short way; -0 and 0 are one key, and so are all NaN.
        return (key | 0) === key ? mixed(key ^ this.#seed) : hashText(String(key), this.#seed);
      case 'object':
      case 'function':
        return key === null ? mixed(this.#seed) : mixed(this.#numberOf(key) ^ this.#seed);
      case 'symbol':
        return hashText(key.description ?? '', ~this.#seed);
      default:
        return hashText(String(key), this.#seed ^ 0x5bd1e995);
    }
  }

  #numberOf(object: object): number {
    this.#numbers ??= new WeakMap();
    let number = this.#numbers.get(object);
    if (number === undefined) {
      number = this.#lastNumber = (this.#lastNumber + 1) | 0;
      this.#numbers.set(object, number);
    }
    return number;
  }
}

function hashText(text: string, seed: number): number {
  const { length } = text;
  if (length <= LONG_TEXT) return mixed(hashPart(text, { from: 0, to: length, step: 1, hash: seed ^ length }));
  let hash = hashPart(text, { from: 0, to: PART, step: 1, hash: seed ^ length });
  hash = hashPart(text, { from: PART, to: length - PART, step: Math.ceil(length / PART), hash });
  return mixed(hashPart(text, { from: length - PART, to: length, step: 1, hash }));
}

/** One multiplication for each character (FNV-1a, over 16 bits). */
function hashPart(text: string, part: { from: number; to: number; step: number; hash: number }): number {
  let { hash } = part;
  for (let index = part.from; index < part.to; index += part.step) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}

/** MurmurHash3's finish: every bit of the input reaches every bit of the result. */
function mixed(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
