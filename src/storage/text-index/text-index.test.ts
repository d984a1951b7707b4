import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTerms, encodeTerms, lengthOf } from './document-terms.ts';
import { encodeDocuments, GrowingDocuments, visitDocuments } from './growing-documents.ts';
import { CHUNK_POSTINGS, PostingList } from './postings.ts';
import { ByteReader, ByteWriter } from './varint.ts';

const anyUint32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 2 ** 32 - 1 }));

describe('variable-length integers', () => {
  it('read back as written, one byte for small ones', () => {
    fc.assert(
      fc.property(fc.array(anyUint32), (values) => {
        const out = new ByteWriter(1);
        for (const value of values) out.writeVarint(value);
        const reader = new ByteReader(out.toBytes());
        expect(values.map(() => reader.readVarint())).toEqual(values);
        expect(reader.exhausted).toBe(true);
        if (values.every((value) => value < 128)) expect(out.length).toBe(values.length);
      }),
    );
  });
});

describe('terms of a document', () => {
  it('read back as written, whatever the words', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 1e6 }))), (pairs) => {
        const terms = new Map(pairs);
        expect(decodeTerms(encodeTerms(terms))).toEqual(terms);
      }),
    );
  });

  it('count repeats towards the length', () => {
    expect(
      lengthOf(
        new Map([
          ['a', 2],
          ['b', 3],
        ]),
      ),
    ).toBe(5);
  });
});

const ascendingOrdinals = fc
  .uniqueArray(fc.nat(100_000), { maxLength: 3 * CHUNK_POSTINGS })
  .map((ordinals) => ordinals.sort((one, other) => one - other));

describe('posting list', () => {
  const listOf = (ordinals: readonly number[]) => {
    const list = new PostingList(0);
    for (const ordinal of ordinals) list.push(ordinal, (ordinal % 7) + 1);
    return list;
  };
  const readChunks = (list: PostingList) => {
    const read = new PostingList(0);
    for (const chunk of list.toChunks()) {
      expect(chunk.count).toBeLessThanOrEqual(CHUNK_POSTINGS);
      read.pushChunk(chunk);
    }
    return read;
  };
  const contents = (list: PostingList) =>
    Array.from({ length: list.count }, (_, index) => [list.ordinals[index], list.frequencies[index]]);

  it('reads back from its chunks', () => {
    fc.assert(
      fc.property(ascendingOrdinals, (ordinals) => {
        const list = listOf(ordinals);
        expect(contents(readChunks(list))).toEqual(contents(list));
      }),
      { numRuns: 30 },
    );
  });

  it('forgets exactly the ordinals it is told to', () => {
    fc.assert(
      fc.property(
        ascendingOrdinals,
        fc.array(fc.nat(100_000), { maxLength: 20 }),
        fc.nat(5),
        (ordinals, others, every) => {
          const gone = new Set([...others, ...ordinals.filter((_, index) => index % (every + 1) === 0)]);
          const list = listOf(ordinals);
          list.removeAll(gone);
          expect(contents(readChunks(list))).toEqual(
            contents(listOf(ordinals.filter((ordinal) => !gone.has(ordinal)))),
          );
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('growing documents', () => {
  const names = new Map([
    [7, 'monday'],
    [9, 'ann'],
    [12, 'bob'],
    [30, 'tuesday'],
  ]);
  const nameOf = (id: number) => names.get(id) ?? '?';

  it('keeps lengths, sessions and speakers by ordinal, with holes', () => {
    const documents = new GrowingDocuments();
    documents.add(0, { length: 4, sessionId: 7, speakerId: 9 }, nameOf);
    documents.add(3, { length: 6, sessionId: 7, speakerId: 12 }, nameOf);
    documents.add(4, { length: 5, sessionId: 30, speakerId: 0 }, nameOf);
    documents.add(5, { length: 0, sessionId: 0, speakerId: 0 }, nameOf);
    expect(documents.size).toBe(6);
    expect([documents.liveDocuments, documents.totalLength]).toEqual([3, 15]);
    expect([...documents.lengths.subarray(0, 6)]).toEqual([4, 0, 0, 6, 5, 0]);
    expect(documents.sessionNames).toEqual(['monday', 'tuesday']);
    expect(documents.sessionLengths).toEqual([10, 5]);
    expect([...documents.sessions.subarray(0, 6)]).toEqual([1, 0, 0, 1, 2, 0]);
    expect(documents.speakerNames).toEqual(['ann', 'bob']);
    expect(documents.bytes).toBeGreaterThan(0);
  });

  it('reads a stored run back, holes included', () => {
    const entries = [
      { length: 3, sessionId: 1, speakerId: 0 },
      undefined,
      { length: 300, sessionId: 70_000, speakerId: 2 },
    ];
    const read: unknown[] = [];
    visitDocuments({ bytes: encodeDocuments(entries), count: 3 }, (_index, entry) => read.push(entry));
    expect(read).toEqual([entries[0], { length: 0, sessionId: 0, speakerId: 0 }, entries[2]]);
  });
});
