/**
 * The simulated upstream of the agent servers: one model that answers and one that embeds, in a process of its own.
 *
 * It takes the time a hosted model takes, compressed as the replay is: 20 ms for each generated token, 40 ms to embed. The same text
 * always has the same vector. It runs outside the servers' memory limit and does as little as it can, for it shares the machine with them.
 *
 * Started as `node upstream.mjs <compression>`; prints its port.
 */
import { createServer } from 'node:http';
import { crc32 } from 'node:zlib';
import { DIMENSIONS } from './agent.mjs';
import { answerText, seededRandom } from './workload.mjs';

const GENERATED_TOKEN_MS = 20;
const EMBEDDING_MS = 40;
const DISTINCT_VECTORS = 1_024;

const compression = Number(process.argv[2]);
const vectors = makeVectors();

const routes = {
  '/complete': ({ question, maxTokens }) => ({
    afterMs: maxTokens * GENERATED_TOKEN_MS,
    answer: { text: answerText(question, maxTokens) },
  }),
  '/embed': ({ input }) => ({ afterMs: EMBEDDING_MS, answer: { embedding: vectors[crc32(input) % DISTINCT_VECTORS] } }),
};

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { afterMs, answer } = routes[request.url](JSON.parse(Buffer.concat(chunks).toString()));
    setTimeout(() => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }, afterMs / compression);
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port })));

// Whoever started it is gone when its input ends.
process.stdin.resume().once('end', () => process.exit());

/** Unit vectors as the hosted models send them: little-endian float32 in base64. */
function makeVectors() {
  const random = seededRandom(3);
  return Array.from({ length: DISTINCT_VECTORS }, () => {
    const vector = Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
    const length = Math.hypot(...vector);
    return Buffer.from(vector.map((value) => value / length).buffer).toString('base64');
  });
}
