import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Block, BlockWriter, PIECE_POSTINGS, piecesOf, placeOf, placeOfPiece, postingsOf } from './block.ts';
import { mergeBlocks } from './merge-blocks.ts';
import { PostingList } from './postings.ts';
import { removeFromBlock } from './remove-from-block.ts';
import { termKey } from './term-key.ts';

/** Postings by term's key: ordinal and frequency, ascending. */
type Plain = Map<string, (readonly [number, number])[]>;

const PAGE_BYTES = 4_000;

function blocksOf(plain: Plain): readonly Block[] {
  const writer = new BlockWriter();
  for (const term of [...plain.keys()].sort()) {
    const list = new PostingList(0);
    for (const [ordinal, frequency] of plain.get(term)!) list.push(ordinal, frequency);
    writer.addPostings(term, list);
  }
  return writer.finish();
}

function plainOf(blocks: readonly Block[]): Plain {
  const plain: Plain = new Map();
  for (const term of new Set(blocks.flatMap(({ bytes }) => [...piecesOf(bytes)].map((piece) => piece.term)))) {
    const list = postingsOf(
      term,
      blocks.map(({ bytes }) => bytes),
    );
    plain.set(
      term,
      Array.from({ length: list.count }, (_, index) => [list.ordinals[index]!, list.frequencies[index]!] as const),
    );
  }
  return plain;
}

/** Sorted places, pages that hold their block, and first places that are true. */
function expectWellFormed(blocks: readonly Block[]): void {
  let previous = '';
  for (const { firstPlace, bytes } of blocks) {
    const pieces = [...piecesOf(bytes)];
    expect(placeOfPiece(pieces[0]!)).toBe(firstPlace);
    expect(bytes.length).toBeLessThan(PAGE_BYTES);
    for (const piece of pieces) {
      expect(piece.count).toBeLessThanOrEqual(PIECE_POSTINGS);
      const place = placeOfPiece(piece);
      expect(previous < place).toBe(true);
      previous = place;
    }
  }
}

const term = fc.oneof(
  fc.constantFrom('budget', 'limit', 'cache', 'a', 'ab'),
  fc.integer({ min: 0, max: 3000 }).map(String),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => termKey(text.replaceAll('\0', 'x'))),
);

/** Terms of consecutive documents from an ordinal on. */
const documents = (from: number) =>
  fc
    .array(fc.array(fc.tuple(term, fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1e6 }))), { maxLength: 40 }), {
      minLength: 1,
      maxLength: 300,
    })
    .map((each) => {
      const plain: Plain = new Map();
      for (const [index, terms] of each.entries()) {
        for (const [key, frequency] of new Map(terms)) {
          const list = plain.get(key);
          if (list) list.push([from + index, frequency]);
          else plain.set(key, [[from + index, frequency]]);
        }
      }
      return plain;
    });

const RUNS = { numRuns: 40 };

describe('blocks', () => {
  it('read back as written, in pages', () => {
    fc.assert(
      fc.property(documents(2 ** 31 - 301), (plain) => {
        const blocks = blocksOf(plain);
        expectWellFormed(blocks);
        expect(plainOf(blocks)).toEqual(plain);
      }),
      RUNS,
    );
  });

  it('hold a term of any length in pieces', () => {
    const plain: Plain = new Map([
      ['a', [[5, 1]]],
      ['common', Array.from({ length: 20_000 }, (_, index) => [index * 70_000, 1 + (index % 3) * 100_000] as const)],
      ['z', [[9, 2]]],
    ]);
    const blocks = blocksOf(plain);
    expectWellFormed(blocks);
    expect(plainOf(blocks)).toEqual(plain);
  });

  it('stand where their first piece stands, whatever the ordinal', () => {
    expect(placeOf('ab', 0) > placeOf('a', 0xffff_ffff)).toBe(true);
    expect(placeOf('a', 256) > placeOf('a', 255)).toBe(true);
    expect(placeOf('a', 0x8000_0000) > placeOf('a', 0x7fff_ffff)).toBe(true);
  });

  it('forget exactly what they are told to', () => {
    fc.assert(
      fc.property(documents(0), fc.array(fc.tuple(term, fc.array(fc.nat(320)))), (plain, wanted) => {
        const gone = new Map(wanted.map(([key, ordinals]) => [key, new Set(ordinals)]));
        const left = blocksOf(plain).flatMap((block) => removeFromBlock(block.bytes, gone) ?? [block]);
        expectWellFormed(left);
        const expected = [...plain].map(
          ([key, list]) => [key, list.filter(([ordinal]) => !gone.get(key)?.has(ordinal))] as const,
        );
        expect(plainOf(left)).toEqual(new Map(expected.filter(([, list]) => list.length > 0)));
      }),
      RUNS,
    );
  });
});

describe('merging blocks', () => {
  it('moves everything, step by step, and loses nothing on the way', () => {
    fc.assert(
      fc.property(
        fc.tuple(...[0, 300, 600, 900].map((from) => documents(from))),
        fc.integer({ min: 1, max: 4 }),
        (plains, atOnce) => {
          const sources = plains.map((plain) => [...blocksOf(plain)]);
          const whole: Plain = new Map();
          for (const plain of plains) {
            for (const [key, list] of plain) whole.set(key, [...(whole.get(key) ?? []), ...list]);
          }
          const target: Block[] = [];
          for (;;) {
            const live = sources.filter((blocks) => blocks.length > 0);
            // Target first, then the sources in order: each list ascends at every moment.
            expect(plainOf([...target, ...live.flat()])).toEqual(whole);
            if (live.length === 0) break;
            const before = live.flat().length;
            const step = mergeBlocks(
              live.map((blocks) => ({ blocks: blocks.slice(0, atOnce), complete: blocks.length <= atOnce })),
            );
            for (const [index, { blocks, rest }] of step.used.entries()) live[index]!.splice(0, blocks, ...rest);
            target.push(...step.moved);
            expect(live.flat().length).toBeLessThan(before);
          }
          expectWellFormed(target);
        },
      ),
      RUNS,
    );
  });
});
