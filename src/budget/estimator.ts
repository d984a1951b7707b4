/**
 * How many bytes of memory a JavaScript value takes, without a heap snapshot.
 *
 * The sizes are those of V8 on 64 bits without pointer compression, as Node 20 to 24 are built, taken from its object layouts
 * (`src/objects/*.h`) and checked against the real heap on the shapes of `testing/heap-shapes.ts`: within 15 % there, most within 8 %.
 *
 * **How it walks.** Level by level with a queue, so that no nesting overflows the stack, and an object met twice is counted once. It reads
 * property descriptors: no getter runs, a proxy is not looked through, no code of the value's owner is called.
 *
 * **What bounds it.** Some 4,096 values are looked at in all, and of one container at most 128, down to 16 as the walk goes on. Of more a
 * sample stands for the rest: one from each of so many equal parts, at a place that does not fall into step with alternating data. It
 * errs by a few percent where elements are alike, by much where one in a thousand holds nearly all; a chain longer than the bound counts so far
 * only. Maps and sets are sampled from their first 1,024 entries, for there is no other way to the rest than through them. What takes time
 * with the size of a value: listing an object's keys, and reading a string of wide characters up to the first.
 *
 * **What it cannot see**, and does not count: private fields, what a closure captured, symbol and non-enumerable properties, what native
 * objects hold. Nor room to spare: an array that grew by `push` may have half its length and 16 places more, an object that lost
 * properties may have become a table, one made by `{...record, more}` may have a shape of its own (some 350 bytes on Node 20). Of short
 * texts met again soon, and of those of one character, V8 is taken to keep one; longer equal texts count each. Literals of the program
 * count although all copies share them. A string put together by `+` is made flat by looking at it, as by any reading, and counted so.
 */
import { types } from 'node:util';

const WORD_BYTES = 8;
/** Map, properties and elements: what every object begins with. */
const OBJECT_BYTES = 3 * WORD_BYTES;
/** `{}`, with four places for properties to come. */
const EMPTY_OBJECT_BYTES = OBJECT_BYTES + 4 * WORD_BYTES;
const ARRAY_BYTES = OBJECT_BYTES + WORD_BYTES;
const ARRAY_STORE_BYTES = 2 * WORD_BYTES;
const STRING_BYTES = 2 * WORD_BYTES;
const NUMBER_BYTES = 2 * WORD_BYTES;
const SYMBOL_BYTES = 3 * WORD_BYTES;
const PROXY_BYTES = 4 * WORD_BYTES;
const FUNCTION_BYTES = 8 * WORD_BYTES;
/** Beyond the object itself. Dates, expressions and buffers differ by 8 to 16 bytes between Node 20 and 24; these are means. */
const DATE_BYTES = 80;
const REGEXP_BYTES = 88;
const BUFFER_BYTES = 68;
const COLLECTION_BYTES = 48;
/** For each entry a map or set has room for, with its share of the buckets. */
const MAP_ENTRY_BYTES = 28;
const SET_ENTRY_BYTES = 20;
/** A typed array, a `Buffer` or a `DataView`, without the buffer it looks into. */
const VIEW_BYTES = 100;
/** A typed array up to this size keeps its elements inside the heap. */
const MOST_ON_HEAP_BYTES = 64;
/** An object that is a hash table: its header, by names or by indexes, and name, value and attributes for each entry there is room for. */
const TABLE_BYTES = 64;
const INDEX_TABLE_BYTES = 48;
const TABLE_ENTRY_BYTES = 24;
/** A parsed record keeps its properties side by side up to here. */
const MOST_FAST_PROPERTIES = 128;
/** An array longer than this with fewer than one element in eight places is a table. */
const MOST_ARRAY_GAP = 1024;
const FEWEST_IN_AN_ARRAY = 8;

const MOST_NODES = 4096;
const MOST_OF_ONE = 128;
const LEAST_OF_ONE = 16;
const COLLECTION_REACH = 1024;
/** With up to so many objects a search through them is faster than a set. */
const FEW_OBJECTS = 8;
const LONGEST_KEPT_ONCE = 10;
/** How many short texts are remembered; a power of two. */
const LAST_TEXTS = 32;

/** The engine knows without reading it that this matches nothing in a string it keeps at one byte a character. */
const WIDE = /[^\0-\xff]/;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** The language's own getters: an object's may be overridden. */
const getter = (prototype: object, name: string) => Object.getOwnPropertyDescriptor(prototype, name)!.get!;
const gettersOfView = (prototype: object) => ({
  length: getter(prototype, 'byteLength'),
  offset: getter(prototype, 'byteOffset'),
  buffer: getter(prototype, 'buffer'),
});
const DATA_VIEW = gettersOfView(DataView.prototype);
const TYPED_ARRAY = gettersOfView(Object.getPrototypeOf(Uint8Array.prototype));
const MAP_SIZE = getter(Map.prototype, 'size');
const SET_SIZE = getter(Set.prototype, 'size');
const SOURCE = getter(RegExp.prototype, 'source');

/**
 * Estimates the bytes that `value` takes: on V8's heap with everything it holds, and outside for buffers. What is met twice counts once.
 *
 * For ordinary values (strings, records, arrays, maps, sets, dates, buffers, class instances) within 15 % of the real cost; a number that
 * needs no object of its own, `true`, `null` and the like take 0. Takes some 50 ns for each value inside; large values are sampled, so it
 * ends within about half a millisecond, but for objects with very many keys. Runs no getter and never throws.
 *
 * @returns whole bytes, 0 or more.
 * @example
 * ```ts
 * reservation.tryGrow(estimateBytes(session));
 * ```
 */
export function estimateBytes(value: unknown): number {
  return survey(value).bytes;
}

/** `estimateBytes`, and how many values it looked at. */
export function survey(value: unknown): { bytes: number; visitedNodes: number } {
  const walk = new Walk();
  walk.add(value, 1);
  walk.run();
  return { bytes: Math.round(walk.bytes), visitedNodes: walk.visitedNodes };
}

class Walk {
  bytes = 0;
  visitedNodes = 0;
  /** Every object met, in order, and how many objects each stands for. */
  readonly #queue: object[] = [];
  readonly #weights: number[] = [];
  /** First object of the queue that has not been opened. */
  #next = 0;
  /** Of the object being opened: how many it stands for, and how many of what it contains may be looked at. */
  #weight = 1;
  #reach = MOST_OF_ONE;
  #met: Set<object> | null = null;
  /** Short texts met last, each at a place given by its length and first character. */
  #texts: string[] | null = null;

  /** Opens all that was added, one level of nesting after another. */
  run(): void {
    while (this.#next < this.#queue.length && this.visitedNodes < MOST_NODES) {
      const start = this.#next;
      const count = this.#queue.length - start;
      const remaining = MOST_NODES - this.visitedNodes;
      // No level takes more than half of what remains, so something is left for every deeper one.
      const opened = Math.min(count, Math.max(1, Math.floor(remaining / (2 * LEAST_OF_ONE))));
      this.#reach = Math.min(MOST_OF_ONE, Math.max(LEAST_OF_ONE, Math.floor(remaining / 2 / opened)));
      this.#next += count;
      for (let index = 0; index < opened; index++) {
        const place = start + sampled(index, opened, count);
        this.#weight = (this.#weights[place]! * count) / opened;
        try {
          this.#open(this.#queue[place]!);
        } catch {
          // An exotic object that will not be looked at, such as a view of a buffer that was transferred, counts as seen so far.
        }
      }
    }
  }

  add(value: unknown, weight: number): void {
    this.visitedNodes++;
    switch (typeof value) {
      case 'string':
        this.bytes += weight * this.#stringBytes(value);
        break;
      case 'number':
        if ((value | 0) !== value) this.bytes += weight * NUMBER_BYTES;
        break;
      case 'object':
        if (value !== null) this.#enqueue(value, weight);
        break;
      case 'function':
        this.#enqueue(value, weight);
        break;
      case 'bigint':
        this.bytes += weight * bigintBytes(value);
        break;
      case 'symbol':
        this.bytes += weight * (SYMBOL_BYTES + stringBytes(value.description ?? ''));
        break;
    }
  }

  #enqueue(object: object, weight: number): void {
    if (this.#isNew(object)) {
      this.#queue.push(object);
      this.#weights.push(weight);
    } else if (weight > 1) {
      // Met again in a sample: the elements share it, so it stands for fewer than each of them does.
      const place = this.#queue.indexOf(object, this.#next);
      if (place !== -1) this.#weights[place] = Math.max(1, this.#weights[place]! / 2);
    }
  }

  #isNew(object: object): boolean {
    if (this.#queue.length <= FEW_OBJECTS) return !this.#queue.includes(object);
    this.#met ??= new Set(this.#queue);
    const count = this.#met.size;
    return this.#met.add(object).size > count;
  }

  #open(object: object): void {
    if (typeof object === 'function') this.#count(FUNCTION_BYTES);
    else if (types.isProxy(object)) this.#count(PROXY_BYTES);
    else if (Array.isArray(object)) this.#openArray(object);
    else if (ArrayBuffer.isView(object)) this.#openView(object);
    else {
      const prototype = Object.getPrototypeOf(object);
      if (prototype === Object.prototype) this.#addProperties(object, 'record');
      // Without a prototype it is a table from the beginning.
      else if (prototype === null) this.#addProperties(object, 'table');
      else {
        this.#addBuiltIn(object);
        this.#addProperties(object, 'instance');
      }
    }
  }

  #openArray(array: readonly unknown[]): void {
    const length = array.length;
    if (length > MOST_ARRAY_GAP && isMostlyHoles(array, this.#reach)) {
      this.#count(ARRAY_BYTES - OBJECT_BYTES);
      this.#addProperties(array, 'table');
      return;
    }
    this.#count(ARRAY_BYTES + (length === 0 ? 0 : ARRAY_STORE_BYTES + WORD_BYTES * length));
    const bytesOfPlaces = this.bytes;
    const looked = Math.min(length, this.#reach);
    let areNumbers = true;
    for (let index = 0; index < looked; index++) {
      const element = Object.getOwnPropertyDescriptor(array, sampled(index, looked, length));
      if (element === undefined) continue;
      this.add(element.value, (this.#weight * length) / looked);
      areNumbers &&= typeof element.value === 'number';
    }
    // Numbers among themselves are kept in their places, without boxes.
    if (areNumbers) this.bytes = bytesOfPlaces;
  }

  #openView(view: ArrayBufferView): void {
    const { length, offset, buffer } = types.isDataView(view) ? DATA_VIEW : TYPED_ARRAY;
    this.#count(VIEW_BYTES);
    const bytes = length.call(view) as number;
    // Asking a small array for its buffer would move it out of the heap; one that begins within a buffer has one already.
    if (bytes <= MOST_ON_HEAP_BYTES && offset.call(view) === 0) {
      this.#count(OBJECT_BYTES + BUFFER_BYTES + ARRAY_STORE_BYTES + wholeWords(bytes));
      return;
    }
    const whole = buffer.call(view) as ArrayBufferLike;
    // One of the many small pieces that Node cuts from a pool: it answers for itself, not for the pool.
    if (bytes < Buffer.poolSize && whole.byteLength === Buffer.poolSize) this.#count(wholeWords(bytes));
    else this.#enqueue(whole, this.#weight);
  }

  /** What an object of the language's own holds beyond its properties. */
  #addBuiltIn(object: object): void {
    if (types.isMap(object)) {
      const size = MAP_SIZE.call(object) as number;
      this.#count(COLLECTION_BYTES + MAP_ENTRY_BYTES * roomFor(size));
      this.#addEntries(Map.prototype.entries.call(object), { size, areKeyed: true });
    } else if (types.isSet(object)) {
      const size = SET_SIZE.call(object) as number;
      this.#count(COLLECTION_BYTES + SET_ENTRY_BYTES * roomFor(size));
      this.#addEntries(Set.prototype.entries.call(object), { size, areKeyed: false });
    } else if (types.isDate(object)) this.#count(DATE_BYTES);
    else if (types.isRegExp(object)) {
      this.#count(REGEXP_BYTES + stringBytes(SOURCE.call(object) as string));
    } else if (types.isAnyArrayBuffer(object)) this.#count(BUFFER_BYTES + object.byteLength);
  }

  #addEntries(entries: Iterable<[unknown, unknown]>, { size, areKeyed }: { size: number; areKeyed: boolean }): void {
    const looked = Math.min(size, this.#reach);
    const within = Math.min(size, COLLECTION_REACH);
    const each = (this.#weight * size) / looked;
    let position = 0;
    let taken = 0;
    for (const entry of entries) {
      if (position++ !== sampled(taken, looked, within)) continue;
      this.add(entry[0], each);
      if (areKeyed) this.add(entry[1], each);
      if (++taken === looked) return;
    }
  }

  #addProperties(object: object, form: 'record' | 'instance' | 'table'): void {
    const keys = Object.keys(object);
    const count = keys.length;
    const isTable = form === 'table' || count > MOST_FAST_PROPERTIES;
    // Indexes come first among the keys.
    const areIndexes = isTable && count > 0 && isIndex(keys[0]!) && isIndex(keys[count - 1]!);
    if (isTable) {
      const headerBytes = areIndexes ? INDEX_TABLE_BYTES : TABLE_BYTES;
      this.#count(OBJECT_BYTES + headerBytes + TABLE_ENTRY_BYTES * roomFor(count + (count >> 1)));
    } else {
      // `{}` keeps places for what it may get.
      this.#count(count === 0 && form === 'record' ? EMPTY_OBJECT_BYTES : OBJECT_BYTES + WORD_BYTES * count);
    }
    const looked = Math.min(count, this.#reach);
    const each = (this.#weight * count) / looked;
    for (let index = 0; index < looked; index++) {
      const key = keys[sampled(index, looked, count)]!;
      // The names of a record belong to its shape, which all of its kind share; those of a table are data of its own.
      if (isTable && !areIndexes) this.bytes += each * stringBytes(key);
      this.add(Object.getOwnPropertyDescriptor(object, key)?.value, each);
    }
  }

  /** Counts what the object being opened takes. */
  #count(bytes: number): void {
    this.bytes += this.#weight * bytes;
  }

  #stringBytes(text: string): number {
    if (text.length > LONGEST_KEPT_ONCE) return stringBytes(text);
    const place = (text.length + text.charCodeAt(0)) & (LAST_TEXTS - 1);
    this.#texts ??= new Array<string>(LAST_TEXTS).fill('');
    if (this.#texts[place] === text) return 0;
    this.#texts[place] = text;
    return stringBytes(text);
  }
}

function stringBytes(text: string): number {
  const isWide = WIDE.test(text);
  // The engine keeps one of each.
  if (text.length < 2 && !isWide) return 0;
  return wholeWords(STRING_BYTES + (isWide ? 2 : 1) * text.length);
}

function bigintBytes(value: bigint): number {
  const digits =
    value === 0n
      ? 0
      : BigInt.asIntN(64, value) === value
        ? 1
        : Math.ceil((value.toString(16).length - (value < 0n ? 1 : 0)) / 16);
  return 2 * WORD_BYTES + WORD_BYTES * digits;
}

function isMostlyHoles(array: readonly unknown[], reach: number): boolean {
  let present = 0;
  for (let index = 0; index < reach; index++) {
    if (Object.hasOwn(array, sampled(index, reach, array.length))) present++;
  }
  return present * FEWEST_IN_AN_ARRAY < reach;
}

function isIndex(key: string): boolean {
  const code = key.charCodeAt(0);
  return code >= 48 && code <= 57;
}

/** Entries an engine's hash table has room for when it holds `count`. */
function roomFor(count: number): number {
  return count <= 4 ? 4 : 2 ** (32 - Math.clz32(count - 1));
}

function wholeWords(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;
}

/** The place of sample `index` of `looked` among `count`: one in each of `looked` equal parts, here and there within it. */
function sampled(index: number, looked: number, count: number): number {
  if (looked === count) return index;
  const first = Math.floor((index * count) / looked);
  const end = Math.floor(((index + 1) * count) / looked);
  const turn = index * GOLDEN_RATIO;
  return first + Math.floor((turn - Math.floor(turn)) * (end - first));
}
