import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeTerms, encodeTerms, lengthOf, TermFinder } from './document-terms.ts';
import { encodeDocuments, GrowingDocuments, visitDocuments } from './growing-documents.ts';
import { keyBytes, keyOfBytes, termKey } from './term-key.ts';
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
        const byKey = new Map(pairs.map(([term, frequency]) => [termKey(term), frequency]));
        expect(decodeTerms(encodeTerms(terms))).toEqual(byKey);
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

describe('TermFinder', () => {
  it('finds of the terms it looks for what decoding finds', () => {
    const term = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 4 }), fc.constantFrom('a', 'ab', '内存', '存管'));
    fc.assert(
      fc.property(fc.array(fc.tuple(term, fc.integer({ min: 1, max: 1e6 }))), fc.array(term), (held, wanted) => {
        const terms = new Map(held);
        const keys = new Set(wanted.map(termKey));
        const expected = [...decodeTerms(encodeTerms(terms))].filter(([key]) => keys.has(key));
        expect([...new TermFinder(keys).find(encodeTerms(terms))]).toEqual(expected);
      }),
    );
  });
});

describe('keys of terms', () => {
  it('order like their bytes, whatever the script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        const byBytes = Math.sign(Buffer.compare(Buffer.from(one), Buffer.from(other)));
        const [key, otherKey] = [termKey(one), termKey(other)];
        expect(key < otherKey ? -1 : key > otherKey ? 1 : 0).toBe(byBytes);
        expect(keyOfBytes(keyBytes(key))).toBe(key);
      }),
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
