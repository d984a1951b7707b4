/**
 * The knowledge base in a file, as an indexing job leaves it for the servers: passages and their vectors, read once at start.
 *
 * `passages.json` holds titles and texts, `vectors.f32` the vectors in the same order, little-endian float32.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DIMENSIONS, dot } from './agent.mjs';

/** @param {string} directory */
export function readKnowledge(directory) {
  const bytes = readFileSync(join(directory, 'vectors.f32'));
  return {
    passages: JSON.parse(readFileSync(join(directory, 'passages.json'), 'utf8')),
    vectors: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
  };
}

/**
 * Vectors are drawn; nobody judges what is found.
 * @param {{ directory: string, texts: string[], vectorCount?: number, random: () => number }} options A vector for each text by default.
 */
export function writeKnowledge({ directory, texts, vectorCount = texts.length, random }) {
  const vectors = Float32Array.from(
    { length: vectorCount * DIMENSIONS },
    () => (random() - 0.5) / Math.sqrt(DIMENSIONS / 12),
  );
  writeFileSync(join(directory, 'vectors.f32'), Buffer.from(vectors.buffer));
  writeFileSync(
    join(directory, 'passages.json'),
    JSON.stringify(texts.map((text, index) => ({ title: `Document ${index}`, text }))),
  );
}

/** The `count` passages nearest to a vector, by scanning them all. */
export function nearestPassages({ passages, vectors }, vector, count) {
  const best = [];
  for (let index = 0; index < passages.length; index++) {
    const score = dot(vector, vectors, index * DIMENSIONS);
    if (best.length === count && score <= best.at(-1).score) continue;
    const place = best.findIndex((other) => other.score < score);
    best.splice(place < 0 ? best.length : place, 0, { score, index });
    if (best.length > count) best.pop();
  }
  return best.map(({ index }) => passages[index]);
}
