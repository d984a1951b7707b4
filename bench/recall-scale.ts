/** How long does recall take over a hundred thousand memories, and what does it hold while doing so? */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../src/base/bytes.ts';
import { randomInteger, seededRandom } from '../src/base/random.ts';
import { Tenure } from '../src/platform/tenure.ts';
import { loadCranfieldDocuments, loadCranfieldQueries } from './data/cranfield.ts';
import { loadLocomo } from './data/locomo.ts';
import { percentile } from './data/percentile.ts';
import type { Bench } from './table.ts';

const SCOPE = { tenant: 'bench' };
const TURNS_PER_SESSION = 20;
/** In its environment a process finds what to fill; its memory then does not count as that of the one measured. */
const FILL = 'TENURE_BENCH_FILL';

export const bench: Bench = {
  name: 'recall-scale',
  question: 'What do 100,000 memories of one scope cost to recall from: time and resident growth?',
  async run({ small }) {
    const role = process.env[FILL];
    if (role !== undefined) {
      await fill(JSON.parse(role));
      process.exit();
    }
    const memories = small ? 5_000 : 100_000;
    const { questions } = material();
    const directory = await mkdtemp(join(tmpdir(), 'tenure-scale-'));
    try {
      const filler = spawn(process.execPath, process.argv.slice(1), {
        env: { ...process.env, [FILL]: JSON.stringify({ directory, memories }) },
        stdio: 'inherit',
      });
      if ((await once(filler, 'exit'))[0] !== 0) throw new Error('the store could not be filled');
      const tenure = await Tenure.open({ directory });
      try {
        const before = settledRss();
        const firstMs = await timeRecall(tenure, questions[0]!);
        const times: number[] = [];
        for (const question of questions.slice(0, small ? 100 : 1000)) times.push(await timeRecall(tenure, question));
        const grown = settledRss() - before;
        const milliseconds = (value: number) => value.toFixed(2);
        return {
          columns: [
            'memories',
            'questions',
            'first ms',
            'p50 ms',
            'p90 ms',
            'p99 ms',
            'resident growth MB',
            'store MB',
          ],
          rows: [
            [
              memories,
              times.length,
              milliseconds(firstMs),
              milliseconds(percentile(times, 0.5)),
              milliseconds(percentile(times, 0.9)),
              milliseconds(percentile(times, 0.99)),
              (grown / MIB).toFixed(1),
              (tenure.status().store.sizeBytes / MIB).toFixed(0),
            ],
          ],
          notes: [
            'Texts are sentences of Cranfield and turns of LoCoMo, two joined at random, in sessions of 20; questions are those of both sets, as asked, 5 results each.',
            'Floor: p50 10 ms, p99 40 ms, 100 MB. Aim: 3 ms, 10 ms, 30 MB. Half of the time is reading postings from the file, none of which are kept.',
            'Filled by another process. Resident growth: RSS after a full collection, after all questions, less before the first.',
          ],
        };
      } finally {
        await tenure.close();
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

function material(): { texts: readonly string[]; questions: readonly string[] } {
  const conversations = loadLocomo();
  const sentences = loadCranfieldDocuments().flatMap(({ text }) =>
    text.split(/ \. +/).filter(({ length }) => length > 40),
  );
  const turns = conversations.flatMap((conversation) =>
    conversation.turns.map(({ speaker, text }) => `${speaker}: ${text}`),
  );
  const asked = conversations.flatMap((conversation) => conversation.questions.map(({ text }) => text));
  const random = seededRandom(7);
  const questions = [...asked, ...loadCranfieldQueries()].map((text) => ({ text, place: random() }));
  return {
    texts: [...sentences, ...turns],
    questions: questions.sort((one, other) => one.place - other.place).map(({ text }) => text),
  };
}

async function fill({ directory, memories }: { directory: string; memories: number }): Promise<void> {
  const { texts } = material();
  const random = seededRandom(1);
  const any = () => texts[randomInteger(random, { low: 0, high: texts.length })]!;
  const tenure = await Tenure.open({ directory });
  for (let done = 0; done < memories; ) {
    const batch = Math.min(1000, memories - done);
    await tenure.memory.rememberAll(
      Array.from({ length: batch }, (_, index) => ({
        text: `${any()} ${any()}`,
        scope: { ...SCOPE, session: `session ${Math.floor((done + index) / TURNS_PER_SESSION)}` },
      })),
    );
    done += batch;
  }
  await tenure.close();
}

async function timeRecall(tenure: Tenure, question: string): Promise<number> {
  const started = performance.now();
  await tenure.memory.recall(question, { scope: SCOPE });
  return performance.now() - started;
}

function settledRss(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}
