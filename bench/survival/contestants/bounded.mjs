/**
 * The bounded contestant: what careful users combine today. Fastify, `lru-cache` bounded by bytes for everything that can be a cache,
 * `express-session` with its MemoryStore, `@fastify/under-pressure` refusing above nine tenths of the container and of the heap.
 *
 * Sizes are set from the container's limit: the caches may hold three fifths of what the process leaves free after its start, for requests
 * in flight and the garbage collector need room as well. A conversation that does not fit any more is evicted, there being no other place for it.
 *
 * Started as `node bounded.mjs <port> <upstream> <directory>`; its packages are those of `bench/rivals`.
 */
import { createRequire } from 'node:module';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import { Agent } from '../agent.mjs';
import { collections, isStarted } from '../front.mjs';
import { nearestPassages, readKnowledge } from '../knowledge.mjs';

const rivals = createRequire(new URL('../../rivals/package.json', import.meta.url));
const { LRUCache } = rivals('lru-cache');

const MIB = 2 ** 20;
/** Of the caches' bytes; what is said in conversations is by far the most. */
const SHARES = { conversations: 0.75, embeddings: 0.2, answers: 0.05 };
const CACHED_SHARE = 0.6;
const ENTRY_BYTES = 200;
const LARGEST_BODY_BYTES = 16 * MIB;

/** @returns {import('../agent.mjs').Holders} */
function boundedHolders({ directory, cachedBytes }) {
  const knowledge = readKnowledge(directory);
  const bytesFor = Object.fromEntries(
    Object.entries(SHARES).map(([cache, share]) => [cache, Math.round(cachedBytes * share)]),
  );
  const answers = new LRUCache({
    maxSize: bytesFor.answers,
    sizeCalculation: ({ text, sources }, question) =>
      textBytes(question) + textBytes(text) + textBytes(sources.join('')) + ENTRY_BYTES,
  });
  const embeddings = new LRUCache({
    maxSize: bytesFor.embeddings,
    sizeCalculation: (vector, key) => vector.byteLength + textBytes(key) + ENTRY_BYTES,
  });
  const conversations = new LRUCache({ maxSize: bytesFor.conversations });
  return {
    answer: (question, ask) => getOrSet(answers, question, ask),
    embedding: (key, embed) => getOrSet(embeddings, key, embed),
    nearest: (vector, count) => nearestPassages(knowledge, vector, count),
    append(user, turn) {
      const { turns, bytes } = conversations.get(user) ?? { turns: [], bytes: ENTRY_BYTES };
      const size = bytes + turnBytes(turn);
      conversations.set(user, { turns: [...turns, turn], bytes: size }, { size });
    },
    lastTurns: (user, count) => conversations.get(user)?.turns.slice(-count) ?? [],
    turn: (user, id) => conversations.get(user)?.turns.find((turn) => turn.id === id),
  };
}

async function getOrSet(cache, key, compute) {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const value = await compute();
  cache.set(key, value);
  return value;
}

function turnBytes({ question, context, answer, file }) {
  return textBytes(question) + textBytes(context) + textBytes(answer) + (file?.length ?? 0) + ENTRY_BYTES;
}

/** V8 keeps a text in two bytes a character as soon as one of them is not Latin. */
function textBytes(text) {
  return 2 * text.length;
}

async function createServer({ agent, limitBytes }) {
  const app = rivals('fastify')({ bodyLimit: LARGEST_BODY_BYTES });
  await app.register(rivals('@fastify/under-pressure'), {
    maxRssBytes: limitBytes * 0.9,
    maxHeapUsedBytes: getHeapStatistics().heap_size_limit * 0.9,
    maxEventLoopDelay: 1_000,
    retryAfter: 1,
  });
  await app.register(rivals('@fastify/express'));
  app.use(rivals('express-session')({ name: 'sid', secret: 'not a secret', resave: false, saveUninitialized: false }));
  app.get('/health', () => collections);
  app.post('/login', (request) => {
    request.raw.session.agent = agent.login(request.body);
    return {};
  });
  app.post('/chat', (request, reply) => {
    const { session } = request.raw;
    if (!session.agent) return reply.code(401).send({ error: 'gone' });
    return agent.chat(session.agent, request.body, (change) => {
      session.agent = change(session.agent);
      return session.agent;
    });
  });
  app.get('/session', (request, reply) => request.raw.session.agent ?? reply.code(401).send({ error: 'gone' }));
  app.get('/turns/:user/:id', async (request, reply) => {
    const turn = await agent.turn(request.params.user, Number(request.params.id));
    return turn ?? reply.code(404).send({ error: 'gone' });
  });
  return app;
}

if (isStarted(import.meta)) {
  const [port, upstream, directory] = process.argv.slice(2);
  // Without a limit the kernel tells a sentinel far above what any machine has.
  const limitBytes = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  const cachedBytes = Math.round((limitBytes - process.memoryUsage.rss()) * CACHED_SHARE);
  const agent = new Agent({ holders: boundedHolders({ directory, cachedBytes }), upstream });
  const app = await createServer({ agent, limitBytes });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
  process.on('SIGTERM', () => process.exit(0));
}
