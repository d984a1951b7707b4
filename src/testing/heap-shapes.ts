/**
 * What servers of agents hold, as values to measure: the shapes for which the estimator's error is published.
 *
 * Every copy has content of its own, as it would coming off the wire: text that was parsed or joined, not literals, which all copies of a
 * program share.
 */

import { v8Collect } from '../pressure/v8-collect.ts';

/** One kind of value; `make` builds the copy with the number `index`, no two alike. */
export interface HeapShape {
  readonly name: string;
  make(index: number): unknown;
}

const FEWEST_COPIES = 50;
const MOST_COPIES = 100_000;
const FEWEST_COLLECTIONS = 2;
const MOST_COLLECTIONS = 10;

const WORDS = 'the agent asked for an invoice of last month and the tool answered with a table'.split(' ');

/** A string of its own, flat, as a parser makes it. */
const flat = (text: string): string => JSON.parse(JSON.stringify(text));

/** Text of exactly `length` characters. */
function text(index: number, length: number): string {
  const parts = [String(index)];
  for (let have = parts[0]!.length; have < length; have += WORDS[have % WORDS.length]!.length + 1) {
    parts.push(WORDS[have % WORDS.length]!);
  }
  return flat(parts.join(' ').padEnd(length, '.').slice(0, length));
}

const id = (index: number) => flat(`order-${index}`.padEnd(24, '-x'));
const times = <Element>(length: number, make: (index: number) => Element) =>
  Array.from({ length }, (_, each) => make(each));
const parsed = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const message = (index: number) => ({
  role: index % 2 === 0 ? 'user' : 'assistant',
  content: text(index, 300),
  atMs: 1.7e12 + index,
});

const toolCall = (index: number) => ({
  id: id(index),
  type: 'function',
  function: { name: 'search_orders', arguments: { customer: id(index + 1), limit: 20, since: '2024-05-01T00:00:00Z' } },
  result: { status: 'ok', rows: times(5, (row) => ({ order: index + row, total: row + 0.25, title: text(row, 40) })) },
});

class Session {
  readonly id: string;
  readonly user: string;
  state = 'open';
  turns = 0;
  #lastUsedMs: number;
  #uses = 1;

  constructor(index: number) {
    this.id = id(index);
    this.user = text(index, 60);
    this.#lastUsedMs = index;
  }

  get idleMs(): number {
    return this.#lastUsedMs + this.#uses;
  }
}

/** The published shapes. */
export const heapShapes: readonly HeapShape[] = [
  { name: 'string, 2,000 ASCII characters', make: (index) => text(index, 2000) },
  {
    name: 'string, 2,000 Chinese characters',
    make: (index) => flat(`${index}`.padEnd(2000, '内存管理')),
  },
  {
    name: 'string, English with one emoji, 2,000 characters',
    make: (index) => flat(`${text(index, 1998)}🙂`),
  },
  {
    name: 'string put together from 100 pieces',
    make: (index) => {
      let whole = '';
      for (let piece = 0; piece < 100; piece++) whole += `${index + piece}: streamed words `;
      return whole;
    },
  },
  { name: 'id of 24 characters', make: id },
  { name: 'chat message', make: (index) => parsed(message(index)) },
  { name: 'conversation of 20 messages', make: (index) => times(20, (turn) => parsed(message(index * 20 + turn))) },
  {
    name: 'conversation of 1,000 messages, pushed',
    make: (index) => {
      const messages: unknown[] = [];
      for (let turn = 0; turn < 1000; turn++) messages.push(parsed(message(index * 1000 + turn)));
      return messages;
    },
  },
  { name: 'tool call, parsed', make: (index) => parsed(toolCall(index)) },
  {
    name: 'session object',
    make: (index) => ({
      id: id(index),
      user: { name: text(index, 18), locale: 'en-GB', roles: ['admin', 'editor'] },
      createdAt: new Date(1.7e12 + index),
      variables: new Map([
        ['topic', text(index, 30)],
        ['goal', text(index + 1, 60)],
      ]),
      messages: times(10, (turn) => parsed(message(index + turn))),
      isOpen: true,
    }),
  },
  {
    name: 'nested configuration',
    make: (index) =>
      parsed({
        name: id(index),
        model: { provider: 'local', name: 'small', temperature: 0.7, limits: { input: 8000, output: 1000 } },
        tools: times(6, (tool) => ({
          name: `tool ${index} ${tool}`,
          enabled: true,
          timeoutMs: 1000 * tool,
          tags: ['a1', 'b2'],
        })),
        memory: { working: { total: 8000, task: 2000 }, long: { limit: 5, scope: { tenant: id(index + 1) } } },
      }),
  },
  {
    name: 'array of 100 small objects',
    make: (index) => times(100, (each) => ({ id: index + each, ok: true, score: each + 0.5 })),
  },
  {
    name: 'parsed document, 300 sections',
    make: (index) =>
      parsed({
        title: text(index, 50),
        sections: times(300, (each) => ({
          heading: text(each, 30),
          level: 2,
          lines: [text(each, 80), text(each + 1, 120)],
        })),
      }),
  },
  {
    name: 'object of 200 ids',
    make: (index) => {
      const table: Record<string, unknown> = {};
      for (let each = 0; each < 200; each++) table[id(index * 200 + each)] = { uses: each, at: index };
      return table;
    },
  },
  {
    name: 'object of 100 numeric ids',
    make: (index) => {
      const table: Record<string, unknown> = Object.create(null);
      for (let each = 0; each < 100; each++) table[index + each * 4099] = each;
      return table;
    },
  },
  { name: 'class instance with private fields', make: (index) => new Session(index) },
  {
    name: 'Map of 1,000 ids to objects',
    make: (index) => new Map(times(1000, (each) => [id(index * 1000 + each), { uses: each, size: 5 }])),
  },
  { name: 'Map of 3 entries', make: (index) => new Map(times(3, (each) => [id(index * 3 + each), each])) },
  { name: 'Set of 500 ids', make: (index) => new Set(times(500, (each) => id(index * 500 + each))) },
  { name: 'Set of 1,000 whole numbers', make: (index) => new Set(times(1000, (each) => index + each)) },
  { name: 'embedding, number[] of 1,536', make: (index) => times(1536, (each) => Math.sin(index + each)) },
  { name: 'embedding, Float32Array of 1,536', make: (index) => new Float32Array(1536).fill(index) },
  { name: 'array of 1,000 whole numbers', make: (index) => times(1000, (each) => index + each) },
  {
    name: 'array of 300 mixed values',
    make: (index) =>
      times(300, (each) => (each % 3 === 0 ? each + 0.5 : each % 3 === 1 ? text(index + each, 20) : null)),
  },
  {
    name: 'sparse array, 100 of 100,000',
    make: (index) => {
      const sparse: string[] = [];
      for (let each = 0; each < 100; each++) sparse[each * 1000] = text(index + each, 30);
      return sparse;
    },
  },
  { name: 'Buffer of 4 KB', make: () => Buffer.alloc(4096) },
  { name: 'Buffer of 200 B, cut from the pool', make: (index) => Buffer.from(text(index, 200)) },
  { name: 'typed array of 16 B', make: (index) => new Uint8Array(16).fill(index) },
  { name: 'Date', make: (index) => new Date(index) },
  { name: 'RegExp', make: (index) => new RegExp(text(index, 20)) },
  { name: 'bigint of 40 digits', make: (index) => 10n ** 40n + BigInt(index) },
  {
    name: '50 messages that share one embedding',
    make: (index) => {
      const embedding = new Float64Array(384).fill(index);
      return times(50, (turn) => ({ role: 'user', content: text(index * 50 + turn, 300), embedding }));
    },
  },
];

/** What a copy of a shape costs and what it was estimated at, on average. */
export interface HeapCost {
  readonly realBytes: number;
  readonly estimatedBytes: number;
}

/**
 * Weighs shapes against the real heap: the growth of it and of what it holds outside, after a full collection, while copies are kept.
 *
 * Each copy is estimated first, as a holder would on taking it in. Synchronous, so that nothing else of the process is weighed.
 */
export class HeapScale {
  readonly #collect = v8Collect();
  readonly #estimate: (value: unknown) => number;
  readonly #totalBytes: number;

  /** `totalBytes` says how much to build of each shape, but no fewer than 50 copies: more is steadier, and slower. */
  constructor(options: { readonly estimate: (value: unknown) => number; readonly totalBytes: number }) {
    this.#estimate = options.estimate;
    this.#totalBytes = options.totalBytes;
  }

  weigh(shape: HeapShape): HeapCost {
    const copies = Math.min(MOST_COPIES, Math.max(FEWEST_COPIES, this.#totalBytes / this.#estimate(shape.make(0))));
    // On the first copies objects find their shape and code is compiled.
    for (let index = 0; index < FEWEST_COPIES; index++) this.#estimate(shape.make(index));
    const held = new Array<unknown>(Math.ceil(copies)).fill(null);
    let estimatedBytes = 0;
    const beforeBytes = this.#heldBytes();
    for (let index = 0; index < held.length; index++) {
      held[index] = shape.make(index);
      estimatedBytes += this.#estimate(held[index]);
    }
    const realBytes = this.#heldBytes() - beforeBytes;
    return { realBytes: realBytes / held.length, estimatedBytes: estimatedBytes / held.length };
  }

  /** Some garbage needs several collections: buffers, what is only weakly held, code that was not used for a while. */
  #heldBytes(): number {
    let heldBytes = Number.POSITIVE_INFINITY;
    for (let round = 0; round < MOST_COLLECTIONS; round++) {
      this.#collect();
      const { heapUsed, external } = process.memoryUsage();
      if (round >= FEWEST_COLLECTIONS && heapUsed + external >= heldBytes) break;
      heldBytes = heapUsed + external;
    }
    return heldBytes;
  }
}
