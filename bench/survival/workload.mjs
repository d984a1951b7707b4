/**
 * The workload of the agent-server benches: who asks what when, in the same words for the load generator, the upstream and the servers.
 *
 * Arrivals, prompt tokens and generated tokens are those of the Azure LLM inference trace (conversations, 2023; CC-BY). The trace has
 * neither texts nor users, so both are drawn here, from one seed:
 *
 * - a question belongs to a topic, topics are drawn by Zipf's law, so most questions were asked before and caches have something to hit;
 * - the text of a prompt token is 4 characters. Typographic quotes are among them, as a model writes them, so V8 keeps the texts in
 *   two bytes a character;
 * - three of ten turns carry a file (a screenshot, a page as an image). A vision model bills an image of 1024 × 1024 as some 765 tokens,
 *   and such a picture weighs 100–200 KB: 180 bytes for each prompt token of the turn.
 *
 * Whoever must know a text again (to check an answer, to verify a stored turn) makes it anew from the same numbers; none are kept.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { PASSAGE_CHARS } from './agent.mjs';

const CHARS_PER_TOKEN = 4;
const FILE_SHARE = 0.3;
const FILE_BYTES_PER_TOKEN = 180;
/** What a whole trace brings along; a share of the trace brings the same share of each. */
const WHOLE = { topics: 3_000, users: 2_400, passages: 4_000 };
/** Some topics lean on the same document. */
const TOPICS_PER_DOCUMENT = 10;
const TOPIC_SKEW = 1;
const USER_SKEW = 0.6;

/**
 * @typedef {object} Turn One request of the replay.
 * @property {number} id Its place in the trace.
 * @property {number} atMs When it is due, from the start of the replay.
 * @property {number} user
 * @property {number} topic
 * @property {number} contextChars Length of the document the user refers to; whole passages.
 * @property {number} fileBytes Size of the attached file; 0 without one.
 * @property {number} generatedTokens How long the model answers.
 */

/**
 * The first `share` of the trace, `compression` times as fast.
 * @param {{ traceFile: string, share: number, compression: number, seed: number }} options
 * @returns {Turn[]}
 */
export function planTurns({ traceFile, share, compression, seed }) {
  const random = seededRandom(seed);
  const topicOf = zipf({ count: Math.round(WHOLE.topics * share), skew: TOPIC_SKEW });
  const userOf = zipf({ count: Math.round(WHOLE.users * share), skew: USER_SKEW });
  const requests = readTrace(traceFile);
  const startMs = requests[0].atMs;
  return requests.slice(0, Math.round(requests.length * share)).map((request, id) => ({
    id,
    atMs: (request.atMs - startMs) / compression,
    user: userOf(random()),
    topic: topicOf(random()),
    contextChars: Math.max(1, Math.round((request.contextTokens * CHARS_PER_TOKEN) / PASSAGE_CHARS)) * PASSAGE_CHARS,
    // Multiples of 3 bytes, so that base64 needs no padding and can be cut anywhere from one long text.
    fileBytes: random() < FILE_SHARE ? Math.round((request.contextTokens * FILE_BYTES_PER_TOKEN) / 3) * 3 : 0,
    generatedTokens: request.generatedTokens,
  }));
}

/** Lines `2023-11-16 18:15:46.6805900,374,44` below a heading. */
function readTrace(file) {
  const lines = gunzipSync(readFileSync(file)).toString('latin1').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [time, contextTokens, generatedTokens] = line.split(',');
    const atMs = Date.parse(`${time.slice(0, 23).replace(' ', 'T')}Z`);
    return { atMs, contextTokens: Number(contextTokens), generatedTokens: Number(generatedTokens) };
  });
}

/** How many passages the knowledge base of this share of the workload has. */
export function knowledgeSize(share) {
  return Math.round(WHOLE.passages * share);
}

export function questionText(topic) {
  return `Question ${topic}: ${textAt(topic * 131, 120)}?`;
}

/** The document of a topic, from its beginning: a longer prompt sees more of the same passages. */
export function contextText(topic, chars) {
  return textAt(Math.floor(topic / TOPICS_PER_DOCUMENT) * 60_000, chars);
}

export function answerText(question, generatedTokens) {
  return `Answer to “${question}”: ${textAt(question.length * 977, generatedTokens * CHARS_PER_TOKEN)}`;
}

export function passageText(index) {
  return `Passage ${index}. ${textAt(index * 613, PASSAGE_CHARS - 20)}`;
}

/** The attached file of a turn, as base64. */
export function fileText({ id, fileBytes }) {
  const chars = (fileBytes / 3) * 4;
  const start = ((id * 7_919) % ((FILE_POOL.length - chars) / 4)) | 0;
  return FILE_POOL.slice(start * 4, start * 4 + chars);
}

/** The body of a chat request, and what a server has of it once it has read it. */
export function chatBody(turn) {
  return JSON.stringify({
    id: turn.id,
    question: questionText(turn.topic),
    context: contextText(turn.topic, turn.contextChars),
    ...(turn.fileBytes > 0 && { file: fileText(turn) }),
    maxTokens: turn.generatedTokens,
  });
}

/** Numbers in [0, 1) from a seed (mulberry32). */
export function seededRandom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Rank for a number in [0, 1): the n-th is drawn in proportion to 1 / n^skew. */
function zipf({ count, skew }) {
  const sums = new Float64Array(count);
  let total = 0;
  for (let rank = 0; rank < count; rank++) {
    total += 1 / (rank + 1) ** skew;
    sums[rank] = total;
  }
  return (chance) => {
    const wanted = chance * total;
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

function textAt(offset, chars) {
  const start = offset % (TEXT_POOL.length - chars);
  return TEXT_POOL.slice(start, start + chars);
}

function makeTextPool(chars) {
  const random = seededRandom(1);
  const syllables = [
    'ta',
    'ren',
    'mo',
    'li',
    'ses',
    'ko',
    'ver',
    'un',
    'da',
    'pri',
    'th',
    'os',
    'em',
    'ing',
    'al',
    '’s',
  ];
  const words = [];
  for (let length = 0; length < chars; length += words.at(-1).length + 1) {
    const count = 1 + Math.floor(random() * 4);
    words.push(Array.from({ length: count }, () => syllables[Math.floor(random() * syllables.length)]).join(''));
  }
  return words.join(' ');
}

function makeFilePool(bytes) {
  const random = seededRandom(2);
  const pool = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) pool.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return pool.toString('base64');
}

const TEXT_POOL = makeTextPool(2_000_000);
const FILE_POOL = makeFilePool(6_000_000);
