import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from './decode.ts';
import { IngestError } from './document.ts';
import { cutAt, stream } from './reading.fixture.ts';

async function decoded(chunks: readonly Uint8Array[]) {
  const report = { replacedCharacters: 0 };
  let text = '';
  for await (const part of decode(stream(chunks), { name: 'file', report })) text += part;
  return { text, ...report };
}

const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

describe('decode', () => {
  it('drops the byte order mark and makes every line end one', async () => {
    expect(await decoded([bytes([0xef, 0xbb, 0xbf], 'a\r\nb\rc\n')])).toEqual({
      text: 'a\nb\nc\n',
      replacedCharacters: 0,
    });
  });

  it('joins a line end that two chunks share', async () => {
    const long = 'x'.repeat(9000);
    const { text } = await decoded([bytes(`${long}\r`), bytes('\ny\r'), bytes('z\r')]);
    expect(text).toBe(`${long}\ny\nz\n`);
  });

  it('replaces what is not UTF-8 and counts it', async () => {
    const { text, replacedCharacters } = await decoded([bytes('a long enough caf', [0xe9], ' text and more of it')]);
    expect(text).toContain('caf\ufffd text');
    expect(replacedCharacters).toBe(1);
  });

  it('reads UTF-16 that says so', async () => {
    expect((await decoded([Buffer.from('\ufeffgrüße', 'utf16le')])).text).toBe('grüße');
    expect((await decoded([Buffer.from('\ufeffgrüße', 'utf16le').swap16()])).text).toBe('grüße');
  });

  it('makes control characters spaces', async () => {
    expect((await decoded([bytes('colour \u001b[31mred and some more text\u0007')])).text).toBe(
      'colour  [31mred and some more text ',
    );
  });

  it('reads a log full of colours', async () => {
    const line = '\u001b[31mE\u001b[0m \u001b[2m12\u001b[0m\n';
    expect((await decoded([bytes(line.repeat(500))])).text).toContain('12');
  });

  it.each([
    ['a NUL byte', bytes('text', [0], 'text')],
    ['a PDF', bytes('%PDF-1.7\nsome text')],
    ['mostly undecodable bytes', Buffer.from(Array.from({ length: 300 }, (_, index) => 128 + (index % 64)))],
  ])('refuses %s as binary', async (_, content) => {
    const failure = await decoded([content]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IngestError);
    expect(failure).toMatchObject({ code: 'INGEST_BINARY' });
  });

  it('is empty for an empty file', async () => {
    expect(await decoded([])).toEqual({ text: '', replacedCharacters: 0 });
  });

  it('gives the same text however the bytes are cut', async () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text)),
      fc.constantFrom(bytes('\r\n'), bytes('\r'), bytes('plain words of text '), bytes([0xe2, 0x82]), bytes([0xff])),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.array(fc.nat(20_000)), fc.boolean(), async (parts, places, long) => {
        const content = bytes(long ? 'long '.repeat(1700) : 'short text ', ...parts.map((each) => [...each]));
        const whole = await decoded([content]).catch((error: IngestError) => error.code);
        expect(await decoded(cutAt(content, places)).catch((error: IngestError) => error.code)).toEqual(whole);
      }),
    );
  });
});
