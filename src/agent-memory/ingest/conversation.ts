/**
 * Conversations as JSON Lines: one message, or one conversation, a line.
 *
 * Read as they are found in the field:
 * - OpenAI: `{ role, content }`, the content a string or a list of parts, alone or in `{ messages: [...] }` or a bare list;
 * - ShareGPT: `{ conversations: [{ from, value }] }`;
 * - dialogue sets such as LoCoMo: `{ speaker, text, session, timestamp }`.
 *
 * Each message is a passage with its speaker, session and time; a long one is several. A message without text (a call of a
 * tool, an image) is nothing to remember. A line that cannot be read is reported with its number and the next one is read.
 * Times without a zone are UTC, so that a file means the same everywhere.
 */
import { messageOf } from '../../base/errors.ts';
import { withoutControls } from './decode.ts';
import { lines } from './lines.ts';
import { countWords, PASSAGE_MAX_WORDS, PassageBuilder } from './passage.ts';
import type { DocumentPassage, Reader } from './reader.ts';

/** Longest line, in characters: a conversation of a few thousand messages. */
export const CONVERSATION_LINE_LIMIT = 4 * 2 ** 20;

type Fields = Readonly<Record<string, unknown>>;

export const readConversation: Reader = async function* (text, about) {
  let tooLong = false;
  for await (const line of lines(text, CONVERSATION_LINE_LIMIT)) {
    if (line.continues || tooLong) {
      if (!tooLong) {
        const message = `is longer than ${CONVERSATION_LINE_LIMIT} characters; put one message on a line`;
        about.onBadLine({ line: line.number, code: 'INGEST_LINE_TOO_LONG', message });
      }
      tooLong = line.continues;
      continue;
    }
    if (line.text.trim() === '') continue;
    try {
      yield* messagesOf(JSON.parse(line.text), `${about.name}#${line.number}`);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      about.onBadLine({ line: line.number, code: 'INGEST_MALFORMED', message: messageOf(error) });
    }
  }
};

/** The messages on a line. @throws SyntaxError when it is none of the known forms. */
function messagesOf(value: unknown, defaultSession: string): DocumentPassage[] {
  if (Array.isArray(value))
    return value.flatMap((message) => passagesOf(fieldsOf(message), { session: defaultSession }));
  const fields = fieldsOf(value);
  const list = fields['messages'] ?? fields['conversations'];
  if (!Array.isArray(list)) return passagesOf(fields, {});
  const session = sessionOf(fields) ?? identifier(fields['id']) ?? defaultSession;
  return list.flatMap((message) => passagesOf(fieldsOf(message), { session, atMs: timeOf(fields) }));
}

function passagesOf(message: Fields, inherited: { session?: string; atMs?: number | undefined }): DocumentPassage[] {
  const speaker = message['name'] ?? message['speaker'] ?? message['role'] ?? message['from'];
  const content = message['content'] ?? message['text'] ?? message['value'];
  if (typeof speaker !== 'string' && content === undefined) {
    throw new SyntaxError('no message: expected role and content, from and value, or speaker and text');
  }
  const common = {
    heading: null,
    speaker: typeof speaker === 'string' && speaker !== '' ? speaker : undefined,
    session: sessionOf(message) ?? inherited.session,
    atMs: timeOf(message) ?? inherited.atMs,
  };
  const text = withoutControls(textOf(content)).trim();
  if (text === '') return [];
  if (countWords(text) <= PASSAGE_MAX_WORDS) return [{ ...common, text }];
  const builder = new PassageBuilder();
  for (const paragraph of text.split(/\n\s*\n/)) builder.block(paragraph);
  return builder.take({ end: true }).map((passage) => ({ ...common, text: passage.text }));
}

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SyntaxError('no JSON object');
  return value as Fields;
}

/** A string, or the text of each part of a list, or of an object with a `text` or `value`. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(partText).filter(Boolean).join('\n\n');
  return '';
}

function partText(part: unknown): string {
  if (typeof part === 'string') return part;
  if (typeof part !== 'object' || part === null || !('text' in part)) return '';
  const { text } = part;
  if (typeof text === 'object' && text !== null && 'value' in text) return textOf(text.value);
  return textOf(text);
}

function sessionOf(fields: Fields): string | undefined {
  for (const key of ['session', 'session_id', 'sessionId', 'conversation_id', 'conversationId', 'thread_id']) {
    const session = identifier(fields[key]);
    if (session !== undefined) return session;
  }
  return undefined;
}

function identifier(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Numbers below this are seconds since the epoch (until the year 5138), others milliseconds (since 1973). */
const SECONDS_LIMIT = 1e11;

function timeOf(fields: Fields): number | undefined {
  for (const key of ['timestamp', 'created_at', 'createdAt', 'create_time', 'time', 'date']) {
    const value = fields[key];
    const atMs = typeof value === 'number' ? value * (Math.abs(value) < SECONDS_LIMIT ? 1000 : 1) : parseTime(value);
    if (Math.abs(atMs) <= 8.64e15) return Math.round(atMs);
  }
  return undefined;
}

function parseTime(value: unknown): number {
  if (typeof value !== 'string' || value.length > 100) return Number.NaN;
  // LoCoMo writes "1:56 pm on 8 May, 2023".
  const text = value.trim().replace(/^(\d{1,2}:\d{2} ?[ap]m) on (.+)$/i, '$2 $1');
  if (/(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$/i.test(text)) return Date.parse(text);
  return Date.parse(/^\d{4}-\d\d-\d\dT/.test(text) ? `${text}Z` : `${text} UTC`);
}
