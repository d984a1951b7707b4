/**
 * Bytes to text, in bounded memory.
 *
 * UTF-8 unless a byte order mark says UTF-16. Bytes that are no UTF-8 become U+FFFD and are counted: one bad byte in a log must
 * not keep the rest out. Line ends become `\n`; NUL and the other control characters, which mean nothing in text, become
 * spaces. What is not text — NUL bytes or noise at the beginning, a PDF, more than a tenth undecodable — is refused as binary.
 *
 * However the same bytes are cut into chunks, the text that comes out is the same.
 */
import { IngestError } from './document.ts';

/** Looked at before anything is accepted, as `git` does. */
const HEAD_BYTES = 8192;
/** Largest share of control and undecodable characters in a text. */
const NOISE_SHARE = 0.1;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
/** The same, but for the escapes that colour a log. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters meant
const NOISE = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\u007f]/g;
const REPLACED = /\ufffd/g;

/** What decoding had to mend. */
export interface DecodeReport {
  /** Characters that could not be read and became U+FFFD. */
  replacedCharacters: number;
}

/**
 * The text of `bytes`, in chunks. Counts into `report` as it goes.
 *
 * @throws IngestError `INGEST_BINARY` when it is not text; at the end where the beginning looked like it.
 */
export async function* decode(
  bytes: AsyncIterable<Uint8Array>,
  options: { name: string; report: DecodeReport },
): AsyncGenerator<string, void, void> {
  let head: Uint8Array[] | undefined = [];
  let headBytes = 0;
  let characters = 0;
  let clean = newCleaner(options.report, 'utf-8');
  const begin = (): string => {
    const beginning = Buffer.concat(head!);
    head = undefined;
    const encoding = encodingOf(beginning);
    clean = newCleaner(options.report, encoding);
    refuseBinary(beginning.subarray(0, HEAD_BYTES), { name: options.name, encoding });
    return clean(beginning);
  };
  for await (const chunk of bytes) {
    let text = '';
    if (head) {
      head.push(chunk);
      headBytes += chunk.byteLength;
      if (headBytes >= HEAD_BYTES) text = begin();
    } else text = clean(chunk);
    characters += text.length;
    if (text) yield text;
  }
  const rest = (head ? begin() : '') + clean(null);
  if (rest) yield rest;
  characters += rest.length;
  if (options.report.replacedCharacters > characters * NOISE_SHARE) throw notText(options.name);
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

function encodingOf(head: Uint8Array): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** A function that decodes chunk after chunk; `null` ends the text. */
function newCleaner(report: DecodeReport, encoding: Encoding): (chunk: Uint8Array | null) => string {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  let heldReturn = '';
  let first = true;
  return (chunk) => {
    let text = heldReturn + (chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode());
    heldReturn = '';
    if (first && text) {
      first = false;
      if (text.startsWith('\ufeff')) text = text.slice(1);
    }
    // A carriage return at the end of a chunk may be half of a line end.
    if (chunk && text.endsWith('\r')) {
      heldReturn = '\r';
      text = text.slice(0, -1);
    }
    report.replacedCharacters += text.match(REPLACED)?.length ?? 0;
    return withoutControls(text.replace(/\r\n?/g, '\n'));
  };
}

function refuseBinary(head: Uint8Array, { name, encoding }: { name: string; encoding: Encoding }): void {
  const text = new TextDecoder(encoding).decode(head, { stream: true });
  const noise = (text.match(NOISE)?.length ?? 0) + (text.match(REPLACED)?.length ?? 0);
  if (!text.includes('\0') && !text.startsWith('%PDF-') && noise <= text.length * NOISE_SHARE) return;
  throw notText(name);
}

function notText(name: string): IngestError {
  const message = `${name} is not UTF-8 text. Convert it to text first.`;
  return new IngestError('INGEST_BINARY', message, { details: { name } });
}

/** `text` with spaces in place of control characters other than tab and line end. */
export function withoutControls(text: string): string {
  return text.replace(CONTROL, ' ');
}
