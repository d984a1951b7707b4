/**
 * The Tenure contestant: the plain server with its Maps replaced by holders of one node, so by holders under one budget.
 *
 * What can be had again is in caches: they take what room there is, and give it back when somebody needs it more. What was said, and who
 * said it, is in session pools: on the disk when it is acknowledged, in memory while it is used. A turn joins its conversation as an item, so
 * the turn is written and not the conversation. Its file lies beside it under an id of its own, since a prompt is made of the texts. A request
 * is admitted by what it may hold, or told when to come again.
 */
import { join } from 'node:path';
import { Tenure } from 'tenure';
import { isStarted, serve } from '../front.mjs';
import { nearestPassages, readKnowledge } from '../knowledge.mjs';

const MIB = 2 ** 20;
/** An LLM call costs as much as ten embeddings. What is asked for most stays even while requests need room: without it each would need more. */
const ANSWERS = { missCost: 10, minBytes: MIB };
const EMBEDDINGS = { model: 'simulated-1536', where: 'native', minBytes: 2 * MIB };
/** The longest conversation of a heavy user. Prompts are made of the end, which the disk gives as well, so conversations give way first. */
const CONVERSATIONS = { maxSessionBytes: 64 * MIB, priority: 9 };
/** Files are seldom asked for again; a few of the latest may stay. */
const FILES = { maxBytes: 2 * MIB, maxSessionBytes: 16 * MIB, priority: 10 };
const AS_IT_IS = { encode: (bytes) => bytes, decode: (bytes) => bytes };
/** The pieces of a body while it comes in, then the values made of it. The whole and its text are there for an instant, of one request at a time. */
const BYTES_PER_BODY_BYTE = 1.5;
/** What a request holds besides its body. */
const REQUEST_BYTES = 64 * 2 ** 10;
/** How long a request waits for room before it is refused. */
const ROOM_WITHIN_MS = 4_000;

/** @returns {Promise<import('../front.mjs').Contestant>} */
export async function open({ directory }) {
  const knowledge = readKnowledge(directory);
  const tenure = await Tenure.open({ directory: join(directory, 'tenure') });
  const answers = tenure.cache('answers', ANSWERS);
  const embeddings = tenure.embeddings(EMBEDDINGS);
  // One process has these sessions, so those in memory are the newest. What was said is written before it is acknowledged; how many turns a
  // session has may reach the disk a second later.
  const sessions = tenure.sessions('sessions', { isShared: false, durability: 'write-back' });
  const conversations = tenure.sessions('conversations', { isShared: false, ...CONVERSATIONS });
  const files = tenure.sessions('files', { isShared: false, codec: AS_IT_IS, ...FILES });

  const holders = {
    answer: (question, ask) => answers.getOrCompute(question, ask),
    async embedding(key, embed) {
      const [vector] = await embeddings.embed([key], async () => [await embed()]);
      return vector;
    },
    nearest: (vector, count) => nearestPassages(knowledge, vector, count),
    async append(user, { file, ...turn }) {
      const fileId = file && `${user}/${turn.id}`;
      // Asked for at once, they are written together.
      await Promise.all([
        file && files.create(file, { id: fileId }),
        conversations.record(user, [{ ...turn, fileId }], { initial: {} }),
      ]);
    },
    async lastTurns(user, count) {
      return (await conversations.last(user, count)) ?? [];
    },
    async turn(user, id) {
      const turn = (await conversations.get(user))?.items.find((item) => item.id === id);
      return turn && { ...turn, file: turn.fileId && (await files.get(turn.fileId)).value };
    },
  };
  return {
    holders,
    sessions: {
      read: async (id) => (id === '' ? undefined : (await sessions.get(id))?.value),
      create: (id, session) => sessions.create(session, { id }),
      update: async (id, change) => (await sessions.update(id, change)).value,
    },
    async admit(bodyBytes, signal) {
      const ticket = await tenure.admission.admitOrRefuse(REQUEST_BYTES + Math.ceil(bodyBytes * BYTES_PER_BODY_BYTE), {
        signal,
        kind: 'request',
        timeoutMs: ROOM_WITHIN_MS,
      });
      if (ticket.admitted) {
        return {
          // What the body was, its values are.
          bodyIsRead() {},
          [Symbol.dispose]: () => ticket.release(),
        };
      }
      const retryAfterSeconds = Math.ceil((ticket.retryAfterMs ?? 0) / 1000);
      return { status: 503, body: { error: ticket.reason }, headers: { 'retry-after': `${retryAfterSeconds}` } };
    },
    close: () => tenure.close(),
  };
}

if (isStarted(import.meta)) await serve(open);
