/**
 * The plain contestant: `node:http` and Maps, as most agent servers begin.
 *
 * Competent, but without a bound anywhere: what was computed is kept, what was said is kept, whoever came is remembered. Vectors are
 * `Float32Array`s and files are Buffers, so it holds no byte more than that.
 */
import { isStarted, serve } from '../front.mjs';
import { nearestPassages, readKnowledge } from '../knowledge.mjs';

/** @returns {import('../front.mjs').Contestant} */
export function open({ directory }) {
  const answers = new Map();
  const embeddings = new Map();
  const conversations = new Map();
  const sessions = new Map();
  const knowledge = readKnowledge(directory);
  const holders = {
    answer: (question, ask) => getOrSet(answers, question, ask),
    embedding: (key, embed) => getOrSet(embeddings, key, embed),
    nearest: (vector, count) => nearestPassages(knowledge, vector, count),
    append(user, turn) {
      const conversation = conversations.get(user);
      if (conversation) conversation.push(turn);
      else conversations.set(user, [turn]);
    },
    lastTurns: (user, count) => conversations.get(user)?.slice(-count) ?? [],
    turn: (user, id) => conversations.get(user)?.find((turn) => turn.id === id),
  };
  return {
    holders,
    sessions: {
      read: (id) => sessions.get(id),
      create: (id, session) => sessions.set(id, session),
      update(id, change) {
        const session = change(sessions.get(id));
        sessions.set(id, session);
        return session;
      },
    },
  };
}

async function getOrSet(map, key, compute) {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = await compute();
  map.set(key, value);
  return value;
}

if (isStarted(import.meta)) await serve(open);
