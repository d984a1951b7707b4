/**
 * The plain contestant: `node:http` and Maps, as most agent servers begin.
 *
 * Competent, but without a bound anywhere: what was computed is kept, what was said is kept, whoever came is remembered. Vectors are
 * `Float32Array`s and files are Buffers, so it holds no byte more than that.
 *
 * Started as `node plain.mjs <port> <upstream> <directory>`.
 */
import { Agent } from '../agent.mjs';
import { createFront } from '../front.mjs';
import { nearestPassages, readKnowledge } from '../knowledge.mjs';

/** @returns {import('../agent.mjs').Holders} */
export function plainHolders({ directory }) {
  const answers = new Map();
  const embeddings = new Map();
  const conversations = new Map();
  const knowledge = readKnowledge(directory);
  return {
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
}

async function getOrSet(map, key, compute) {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = await compute();
  map.set(key, value);
  return value;
}

if (process.argv[1] === import.meta.filename) {
  const [port, upstream, directory] = process.argv.slice(2);
  const sessions = new Map();
  const agent = new Agent({ holders: plainHolders({ directory }), upstream });
  const front = createFront({
    agent,
    sessions: { read: (id) => sessions.get(id), write: (id, session) => sessions.set(id, session) },
  });
  front.listen(Number(port), '127.0.0.1');
  process.on('SIGTERM', () => process.exit(0));
}
