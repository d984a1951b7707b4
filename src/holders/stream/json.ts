/**
 * Records out of a JSON document of any size and depth, through @streamparser/json.
 *
 *   bytes ─▶ Tokenizer ─▶ router ─┬─▶ outer TokenParser: the document, with `null` in place of each record
 *                                 └─▶ record TokenParser: one record at a time
 *
 * The library builds what it is given; so a record is built by a parser of its own, which can be thrown away when the record outgrows
 * the bound, while the outer one goes on and still checks the grammar. Values outside the paths are dropped by the outer one as they
 * end (`keepStack: false`). What cannot be thrown away is a single string or number in the tokenizer: one of more than twice
 * the bound of a record ends the stream. So does anything that is not JSON, for nothing after it can be trusted.
 *
 * Costs are counted per token, as in `json-weight.ts`: brackets weigh more than they are long.
 */
import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { messageOf } from '../../base/errors.ts';
import { BadItem, Block, type Format, type FormatKind, type FormatStart } from './block.ts';
import { PathCursor, type PathStep } from './json-path.ts';
import { jsonWeight } from './json-weight.ts';
import type { InvalidUtf8 } from './lines.ts';

/** A record and the keys that lead to it. */
export interface JsonEntry<T> {
  readonly path: readonly (string | number)[];
  readonly value: T;
}

export interface JsonLayout {
  readonly paths: readonly (readonly PathStep[])[];
  /** Records come as `JsonEntry`. */
  readonly entries: boolean;
  readonly invalidUtf8: InvalidUtf8;
}

export function jsonKind<T>(layout: JsonLayout): FormatKind<T, T> {
  return {
    ...{ name: 'json', where: 'heap', expansion: 8, resumesAt: 'record' },
    start: (start) => new JsonFormat<T>(start, layout),
  };
}

type Token = Parameters<TokenParser['write']>[0] & { readonly offset?: number };

const CONTAINER_BYTES = jsonWeight({ containers: 1, elements: 0, characters: 0 });
const TOKEN_BYTES = jsonWeight({ containers: 0, elements: 1, characters: 0 }) / 2;
/** A string or number in a record that is left out may be this many times as long as a record. */
const TOKEN_FACTOR = 2;

class JsonFormat<T> implements Format<T, T> {
  readonly #layout: JsonLayout;
  readonly #start: FormatStart;
  readonly #tokenizer = new Tokenizer();
  readonly #outer = new TokenParser({ paths: [], keepStack: false });
  readonly #decoder;
  readonly #cursor: PathCursor;
  #record: TokenParser | null = null;
  #finished: unknown;
  /** Containers open in the record, or in a value outside the paths. */
  #recordDepth = 0;
  #ignoredDepth = 0;
  #isObject: boolean[] = [];
  #awaitsKey = false;
  #isLeftOut = false;
  #weightBytes = 0;
  #recordStart = 0;
  #tokenStart = 0;
  #pushedBytes = 0;
  #endBytes = 0;
  #block!: Block<T>;

  constructor(start: FormatStart, layout: JsonLayout) {
    this.#layout = layout;
    this.#start = start;
    this.#decoder = layout.invalidUtf8 === 'replace' ? new TextDecoder('utf-8') : null;
    this.#cursor = new PathCursor(layout.paths);
    this.#outer.onValue = () => {};
    this.#tokenizer.onToken = (token) => this.#route(token as Token);
  }

  get heldBytes(): number {
    const from = this.#recordDepth > 0 && !this.#isLeftOut ? this.#recordStart : this.#tokenStart;
    return Math.max(0, this.#pushedBytes - from);
  }

  push(chunk: Uint8Array): Block<T> {
    const block = this.#begin();
    const bytes = this.#decoder ? this.#decoder.decode(chunk, { stream: true }) : chunk;
    this.#guarded(() => this.#tokenizer.write(bytes));
    this.#pushedBytes += chunk.length;
    const { maxRecordBytes } = this.#start;
    if (this.#recordDepth > 0 && this.#pushedBytes - this.#recordStart > maxRecordBytes) this.#leaveOut();
    if (this.#pushedBytes - this.#tokenStart > maxRecordBytes * TOKEN_FACTOR) {
      this.#add(new BadItem(null, { isFatal: true }), this.#pushedBytes);
    }
    return block;
  }

  end(): Block<T> {
    const block = this.#begin();
    this.#guarded(() => {
      this.#tokenizer.end();
      if (!this.#outer.isEnded) throw new Error('the document ends before its last value does');
    });
    return block;
  }

  decode(value: T): T {
    return value;
  }

  #begin(): Block<T> {
    this.#block = new Block<T>({ startBytes: this.#endBytes, startLines: 0, countsLines: true });
    return this.#block;
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#add(new BadItem(`is not JSON: ${messageOf(error)}`, { cause: error, isFatal: true }), this.#tokenStart);
    }
  }

  #add(item: T | BadItem, endBytes: number): void {
    this.#endBytes = Math.max(this.#endBytes, endBytes);
    this.#block.add(item, this.#endBytes - this.#block.startBytes);
  }

  #route(token: Token): void {
    this.#tokenStart = token.offset ?? this.#tokenStart;
    if (this.#recordDepth > 0) this.#inRecord(token);
    else if (this.#ignoredDepth > 0) {
      this.#outer.write(token);
      this.#ignoredDepth += depthOf(token.token);
    } else this.#onTheWay(token);
  }

  #inRecord(token: Token): void {
    const depth = depthOf(token.token);
    this.#recordDepth += depth;
    if (!this.#isLeftOut) {
      this.#record!.write(token);
      this.#weightBytes += depth > 0 ? CONTAINER_BYTES : TOKEN_BYTES;
      const sizeBytes = this.#tokenStart - this.#recordStart;
      if (sizeBytes > this.#start.maxRecordBytes || this.#weightBytes > this.#start.limitBytes) this.#leaveOut();
    }
    if (this.#recordDepth > 0) return;
    if (this.#isLeftOut) this.#isLeftOut = false;
    else this.#finish(this.#finished as T);
    this.#finished = undefined;
  }

  /** Outside every record and every value without one. */
  #onTheWay(token: Token): void {
    const kind = token.token;
    const cursor = this.#cursor;
    if (kind === TokenType.COMMA) {
      this.#outer.write(token);
      cursor.nextElement();
      this.#awaitsKey = this.#isObject.at(-1) === true;
    } else if (kind === TokenType.COLON) {
      this.#outer.write(token);
      this.#awaitsKey = false;
    } else if (kind === TokenType.RIGHT_BRACE || kind === TokenType.RIGHT_BRACKET) {
      this.#outer.write(token);
      cursor.leave();
      this.#isObject.pop();
      this.#awaitsKey = false;
    } else if (this.#awaitsKey) {
      this.#outer.write(token);
      cursor.setKey(String(token.value));
    } else {
      this.#value(token);
    }
  }

  #value(token: Token): void {
    const opens = depthOf(token.token) > 0;
    const candidates = this.#cursor.candidates;
    if (candidates !== 0 && this.#cursor.isSelected(candidates)) {
      this.#outer.write({ token: TokenType.NULL, value: null } as Token);
      if (opens) this.#beginRecord(token);
      else this.#finish(token.value as T);
      return;
    }
    this.#outer.write(token);
    if (!opens) return;
    if (candidates === 0) {
      this.#ignoredDepth = 1;
    } else {
      const isObject = token.token === TokenType.LEFT_BRACE;
      this.#cursor.enter(candidates, !isObject);
      this.#isObject.push(isObject);
      this.#awaitsKey = isObject;
    }
  }

  #beginRecord(token: Token): void {
    this.#recordStart = this.#tokenStart;
    this.#recordDepth = 1;
    this.#weightBytes = CONTAINER_BYTES;
    if (this.#record === null) {
      this.#record = new TokenParser({ paths: ['$'], separator: '' });
      this.#record.onValue = ({ value }) => {
        this.#finished = value;
      };
    }
    this.#record.write(token);
  }

  #finish(value: T): void {
    const { entries } = this.#layout;
    this.#add((entries ? { path: [...this.#cursor.keys], value } : value) as T, this.#tokenStart + 1);
  }

  /** What has been built of the record is dropped, the rest of it is not built. */
  #leaveOut(): void {
    if (this.#isLeftOut) return;
    this.#isLeftOut = true;
    this.#record = null;
    this.#add(new BadItem(null), this.#tokenStart + 1);
  }
}

function depthOf(kind: TokenType): 1 | 0 | -1 {
  if (kind === TokenType.LEFT_BRACE || kind === TokenType.LEFT_BRACKET) return 1;
  return kind === TokenType.RIGHT_BRACE || kind === TokenType.RIGHT_BRACKET ? -1 : 0;
}
