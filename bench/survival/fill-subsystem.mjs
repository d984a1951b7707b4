/**
 * What one subsystem of a contestant holds when it alone is filled, as the whole replay would fill it.
 *
 *   nothing     the process with the contestant opened
 *   api         conversations and sessions: what the API server keeps for its users
 *   vectors     vectors of the knowledge base and the embedding cache
 *   retrieval   texts of the knowledge base and the response cache
 *
 * Each is measured in a process of its own, after garbage was collected until nothing more came; what `nothing` holds is for the caller to
 * subtract. Only anonymous memory counts: it is what a container is killed for, and includes what the allocator keeps.
 *
 * Started as `node --expose-gc fill-subsystem.mjs <options as JSON>`; prints bytes as JSON.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { DIMENSIONS, embeddingKey, passagesOf } from './agent.mjs';
import { writeKnowledge } from './knowledge.mjs';
import {
  answerText,
  chatBody,
  contextText,
  knowledgeSize,
  passageText,
  planTurns,
  questionText,
  seededRandom,
} from './workload.mjs';

const SETTLES_WITHIN_ROUNDS = 10;
const SETTLE_MS = 300;

const options = JSON.parse(process.argv[2]);
const { contestant, subsystem, directory, share } = options;
const { open } = await import(`./contestants/${contestant}.mjs`);
const fill = { nothing: () => {}, api: fillConversations, vectors: fillEmbeddings, retrieval: fillAnswers }[subsystem];

const size = knowledgeSize(share);
writeKnowledge({
  directory,
  texts: Array.from({ length: subsystem === 'retrieval' ? size : 0 }, (_, index) => passageText(index)),
  vectorCount: subsystem === 'vectors' ? size : 0,
  random: seededRandom(4),
});
const turns = planTurns(options);
const { holders, sessions, close } = await open({ directory });
await fill();
await settle();
const { heapUsed, external } = process.memoryUsage();
console.log(JSON.stringify({ anonBytes: anonBytes(), heapBytes: heapUsed, externalBytes: external }));
await close?.();
process.exit(0);

async function fillConversations() {
  for (const turn of turns) {
    const { id, question, context, file } = JSON.parse(chatBody(turn));
    const user = `user-${turn.user}`;
    const answer = flat(answerText(question, turn.generatedTokens));
    await holders.append(user, {
      id,
      question,
      context,
      file: file ? Buffer.from(file, 'base64') : null,
      answer,
      at: Date.now(),
    });
    if (!(await sessions.read(user)))
      await sessions.create(user, { user, style: `as ${user} likes it`, turns: 0, recent: [] });
    await sessions.update(user, (session) => ({
      ...session,
      turns: session.turns + 1,
      recent: [...session.recent.slice(-2), { question, answer }],
    }));
  }
}

async function fillEmbeddings() {
  for (const turn of turns) {
    const texts = [questionText(turn.topic), ...passagesOf(contextText(turn.topic, turn.contextChars))];
    for (const text of texts) {
      await holders.embedding(embeddingKey(text), async () =>
        new Float32Array(DIMENSIONS).fill(1 / Math.sqrt(DIMENSIONS)),
      );
    }
  }
}

async function fillAnswers() {
  for (const turn of turns) {
    const question = flat(questionText(turn.topic));
    await holders.answer(question, async () => ({
      text: flat(answerText(question, turn.generatedTokens)),
      sources: [],
    }));
  }
}

/** A copy that does not lean on the long text it was cut from, as a text that came over the network. */
function flat(text) {
  return JSON.parse(JSON.stringify(text));
}

async function settle() {
  for (let round = 0, before = Number.POSITIVE_INFINITY; round < SETTLES_WITHIN_ROUNDS; round++) {
    globalThis.gc();
    await pause(SETTLE_MS);
    const now = anonBytes();
    if (now >= before * 0.999) return;
    before = now;
  }
}

function anonBytes() {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}
