/** Does recall rank documents that have nothing to do with conversations as well as plain BM25 does? */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tenure } from '../src/platform/tenure.ts';
import { loadCranfieldDocuments, loadCranfieldJudgements, loadCranfieldQueries } from './data/cranfield.ts';
import type { Bench } from './table.ts';

const SCOPE = { tenant: 'cranfield' };

export const bench: Bench = {
  name: 'cranfield',
  question:
    'How well does recall rank the Cranfield abstracts (nDCG@10, P@10, reciprocal rank), with nothing tuned on them?',
  async run({ small }) {
    const directory = await mkdtemp(join(tmpdir(), 'tenure-cranfield-'));
    const tenure = await Tenure.open({ directory });
    try {
      await tenure.memory.rememberAll(
        loadCranfieldDocuments()
          .filter(({ text }) => text !== '')
          .map(({ id, text }) => ({ text, scope: SCOPE, metadata: { document: id } })),
      );
      const judgements = loadCranfieldJudgements();
      const sums = { queries: 0, gain: 0, precision: 0, reciprocal: 0 };
      for (const [index, query] of loadCranfieldQueries()
        .slice(0, small ? 20 : 225)
        .entries()) {
        const relevant = judgements.get(index + 1) ?? new Map<string, number>();
        const found = await tenure.memory.recall(query, { scope: SCOPE, limit: 100 });
        const hits = found.map(({ memory }) => (relevant.has(String(memory.metadata['document'])) ? 1 : 0));
        sums.queries++;
        sums.gain +=
          discounted(hits.slice(0, 10)) / discounted(Array.from({ length: Math.min(10, relevant.size) }, () => 1));
        sums.precision += hits.slice(0, 10).reduce<number>((sum, hit) => sum + hit, 0) / 10;
        sums.reciprocal += hits.includes(1) ? 1 / (hits.indexOf(1) + 1) : 0;
      }
      const mean = (sum: number) => (sum / sums.queries).toFixed(3);
      return {
        columns: ['what', 'queries', 'nDCG@10', 'P@10', 'MRR'],
        rows: [
          ['recall', sums.queries, mean(sums.gain), mean(sums.precision), mean(sums.reciprocal)],
          ['BM25 with Porter stems, as published for the set', 225, '.384', '.234', '.531'],
        ],
        notes: ['Judgements of grade 0 dropped; gain is 1 for every relevant abstract.'],
      };
    } finally {
      await tenure.close();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

function discounted(hits: readonly number[]): number {
  return hits.reduce<number>((sum, hit, rank) => sum + hit / Math.log2(rank + 2), 0);
}
