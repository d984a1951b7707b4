/**
 * The agent server that all contestants are: what it does with a login, a question, and a user who asks for an earlier turn.
 *
 * It is written once. A contestant brings the *holders* it keeps things in, and its HTTP front; what is asked of them is the same,
 * so differences in the tables come from how memory is held and from nothing else.
 *
 * A question is embedded (embedding cache), answered from the response cache if anyone has asked it before, and otherwise: the passages
 * of the user's document are embedded, the best of them and the nearest passages of the knowledge base make the prompt together with
 * the user's last turns, the model answers, the answer is cached. Either way the turn joins the user's conversation, with the document
 * and the file that came with it; the answer to the client is the acknowledgement that it did.
 */
import { createHash } from 'node:crypto';

/** Embeddings have the size that the most used hosted model returns. */
export const DIMENSIONS = 1536;
/** A passage is about 250 tokens. */
export const PASSAGE_CHARS = 1_000;
const PROMPT_PASSAGES = 4;
const PROMPT_TURNS = 3;

/**
 * @typedef {object} ConversationTurn What was said in one turn.
 * @property {number} id
 * @property {string} question
 * @property {string} context The document the user referred to.
 * @property {Buffer | null} file The file that came with it.
 * @property {string} answer
 * @property {number} at When, in milliseconds since 1970.
 *
 * @typedef {object} Holders Where a contestant keeps what an agent server holds.
 * @property {(question: string, ask: () => Promise<{ text: string, sources: string[] }>) => Promise<{ text: string, sources: string[] }>} answer
 *   Response cache: what is kept for the question, else what `ask` brings.
 * @property {(key: string, embed: () => Promise<Float32Array>) => Promise<Float32Array>} embedding Embedding cache, by the text's hash.
 * @property {(vector: Float32Array, count: number) => Passage[]} nearest The passages of the knowledge base nearest to a vector.
 * @property {(user: string, turn: ConversationTurn) => void | Promise<void>} append Adds a turn to the user's conversation.
 * @property {(user: string, count: number) => ConversationTurn[] | Promise<ConversationTurn[]>} lastTurns
 * @property {(user: string, id: number) => (ConversationTurn | undefined) | Promise<ConversationTurn | undefined>} turn
 *
 * @typedef {object} Passage
 * @property {string} title
 * @property {string} text
 *
 * @typedef {object} Session What a returning user expects to find.
 * @property {string} user
 * @property {string} style How the user wants to be answered, said once at login.
 * @property {number} turns
 * @property {{ question: string, answer: string }[]} recent
 */

export class Agent {
  #holders;
  #upstream;

  /** @param {{ holders: Holders, upstream: string }} options `upstream` is the address of the models. */
  constructor({ holders, upstream }) {
    this.#holders = holders;
    this.#upstream = upstream;
  }

  /** @returns {Session} */
  login({ user, style }) {
    return { user, style, turns: 0, recent: [] };
  }

  /**
   * Answers and keeps the turn; `found` says how often the caches knew.
   * @param {Session} session
   * @param {(change: (session: Session) => Session) => Promise<Session> | Session} update Replaces the session; others may have meanwhile.
   */
  async chat(session, { id, question, context, file, maxTokens }, update) {
    const found = { hits: 0, lookups: 0 };
    const vector = await this.#embedding(question, found);
    const answer = await this.#answer({ session, question, context, vector, maxTokens }, found);
    await this.#holders.append(session.user, {
      id,
      question,
      context,
      file: file === undefined ? null : Buffer.from(file, 'base64'),
      answer: answer.text,
      at: Date.now(),
    });
    const { turns } = await update((before) => ({
      ...before,
      turns: before.turns + 1,
      recent: [...before.recent.slice(1 - PROMPT_TURNS), { question, answer: answer.text }],
    }));
    return { id, answer: answer.text, sources: answer.sources, turns, found };
  }

  /** An earlier turn as the user's client shows it, or undefined. */
  async turn(user, id) {
    const turn = await this.#holders.turn(user, id);
    return turn && { ...turn, file: turn.file ? Buffer.from(turn.file).toString('base64') : null };
  }

  async #answer({ session, question, context, vector, maxTokens }, found) {
    let known = true;
    const answer = await this.#holders.answer(question, async () => {
      known = false;
      const passages = await this.#bestPassages(context, vector, found);
      const knowledge = this.#holders.nearest(vector, PROMPT_PASSAGES);
      const earlier = await this.#holders.lastTurns(session.user, PROMPT_TURNS);
      const { text } = await this.#ask('/complete', {
        question,
        maxTokens,
        prompt: [
          session.style,
          ...earlier.map((turn) => `${turn.question} ${turn.answer}`),
          ...passages,
          ...knowledge.map((passage) => passage.text),
        ],
      });
      return { text, sources: knowledge.map(({ title }) => title) };
    });
    found.lookups++;
    if (known) found.hits++;
    return answer;
  }

  async #bestPassages(context, vector, found) {
    const passages = passagesOf(context);
    const vectors = await Promise.all(passages.map((passage) => this.#embedding(passage, found)));
    return passages
      .map((passage, index) => ({ passage, score: dot(vector, vectors[index], 0) }))
      .sort((one, other) => other.score - one.score)
      .slice(0, PROMPT_PASSAGES)
      .map(({ passage }) => passage);
  }

  async #embedding(text, found) {
    let known = true;
    const vector = await this.#holders.embedding(embeddingKey(text), async () => {
      known = false;
      const { embedding } = await this.#ask('/embed', { input: text });
      const bytes = Buffer.from(embedding, 'base64');
      return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    });
    found.lookups++;
    if (known) found.hits++;
    return vector;
  }

  async #ask(path, body) {
    const response = await fetch(`${this.#upstream}${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`The upstream answered ${path} with ${response.status}.`);
    return response.json();
  }
}

/** Texts are long; their hashes find the vectors as well. */
export function embeddingKey(text) {
  return createHash('sha1').update(text).digest('base64url');
}

/** The pieces that a document is embedded in. */
export function passagesOf(document) {
  const passages = [];
  for (let start = 0; start < document.length; start += PASSAGE_CHARS) {
    passages.push(document.slice(start, start + PASSAGE_CHARS));
  }
  return passages;
}

/** Inner product of a vector with the one that begins at `start` in a matrix; in four sums, which the processor adds at once. */
export function dot(vector, matrix, start) {
  let first = 0;
  let second = 0;
  let third = 0;
  let fourth = 0;
  for (let at = 0; at < DIMENSIONS; at += 4) {
    first += vector[at] * matrix[start + at];
    second += vector[at + 1] * matrix[start + at + 1];
    third += vector[at + 2] * matrix[start + at + 2];
    fourth += vector[at + 3] * matrix[start + at + 3];
  }
  return first + second + third + fourth;
}
