/** What does reading 2 GB in bounded memory cost: peak and speed, against the bare parsers? */
import { fork } from 'node:child_process';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { JSONParser } from '@streamparser/json';
import { parse } from 'csv-parse';
import { MIB } from '../src/base/bytes.ts';
import { seededRandom } from '../src/base/random.ts';
import { Budget } from '../src/budget/budget.ts';
import { readCsv, readJson, readNdjson } from '../src/holders/stream/readers.ts';
import { median } from './data/percentile.ts';
import type { Bench } from './table.ts';

const BUDGET_BYTES = 64 * MIB;
const SAMPLE_EVERY_MS = 2;
/** How a child of this bench knows what it is to measure. */
const TASK = 'TENURE_BENCH_STREAMING';

interface Row {
  readonly id: number;
  readonly tokens: number;
}

/** Each reads a file to its end and adds up one number of each record, so that nobody can leave work out unseen. */
const READERS: Record<string, (path: string) => Promise<number>> = {
  async 'ndjson ours'(path) {
    return summed((budget) => readNdjson<Row>(path, { budget, limitBytes: BUDGET_BYTES }));
  },
  async 'ndjson split + JSON.parse'(path) {
    let sum = 0;
    let rest = '';
    for await (const chunk of createReadStream(path, 'utf8')) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      for (const line of lines) sum += (JSON.parse(line) as Row).tokens;
    }
    return sum;
  },
  async 'ndjson readline + JSON.parse'(path) {
    let sum = 0;
    for await (const line of createInterface({ input: createReadStream(path) }))
      sum += (JSON.parse(line) as Row).tokens;
    return sum;
  },
  async 'nested JSON ours'(path) {
    return summed((budget) => readJson<Row>(path, { budget, limitBytes: BUDGET_BYTES, paths: '$.days.*.rows.*' }));
  },
  async 'nested JSON @streamparser/json'(path) {
    let sum = 0;
    const parser = new JSONParser({ paths: ['$.days.*.rows.*'], keepStack: false });
    parser.onValue = ({ value }) => {
      sum += (value as unknown as Row).tokens;
    };
    for await (const chunk of createReadStream(path)) parser.write(chunk);
    return sum;
  },
  async 'CSV ours'(path) {
    return summed((budget) => readCsv(path, { budget, limitBytes: BUDGET_BYTES }));
  },
  async 'CSV csv-parse'(path) {
    let sum = 0;
    for await (const row of createReadStream(path).pipe(parse({ columns: true }))) sum += Number(row.tokens);
    return sum;
  },
};

async function summed(
  open: (budget: Budget) => AsyncIterable<{ readonly tokens: number | string } | Record<string, string>>,
) {
  const budget = new Budget({ limitBytes: BUDGET_BYTES });
  let sum = 0;
  for await (const row of open(budget)) sum += Number(row['tokens']);
  if (budget.close().leakedBytes > 0) throw new Error('The stream left bytes in the books.');
  return sum;
}

export const bench: Bench = {
  name: 'streaming',
  question: 'How much memory and time does reading 2 GB take within a budget of 64 MB, against the bare parsers?',
  async run({ small }) {
    const task = process.env[TASK];
    if (task !== undefined) {
      process.send!(await measure(JSON.parse(task) as Task));
      process.exit(0);
    }
    const largeBytes = small ? 8 * MIB : 2048 * MIB;
    const shortBytes = small ? 4 * MIB : 128 * MIB;
    const rounds = small ? 1 : 5;
    const folder = await mkdtemp(join(tmpdir(), 'tenure-streaming-'));
    const rows: (string | number)[][] = [];
    try {
      for (const format of ['ndjson', 'nested JSON', 'CSV']) {
        const path = join(folder, 'data');
        const names = Object.keys(READERS).filter((name) => name.startsWith(`${format} `));
        await write(path, format, shortBytes);
        const rates = new Map<string, number[]>(names.map((name) => [name, []]));
        for (let round = 0; round < rounds; round++) {
          const order = round % 2 === 0 ? names : [...names].reverse();
          const sums = new Set<number>();
          for (const name of order) {
            const { sum, bytesPerSecond } = await inChild({ name, path });
            rates.get(name)!.push(bytesPerSecond / MIB);
            sums.add(sum);
          }
          if (sums.size > 1) throw new Error(`${format}: readers disagree: ${[...sums].join(', ')}.`);
        }
        const [ours, ...rivals] = names as [string, ...string[]];
        const rate = (name: string) => median(rates.get(name)!);
        const rival = rivals.reduce((best, name) => (rate(name) > rate(best) ? name : best));
        const ratio = median(rates.get(ours)!.map((each, round) => each / rates.get(rival)![round]!));
        await write(path, format, largeBytes);
        const large = await inChild({ name: ours, path });
        const [peakMb, rateMb] = [large.peakBytes / MIB, large.bytesPerSecond / MIB];
        rows.push([
          format,
          peakMb.toFixed(1),
          Math.round(rateMb),
          rival.slice(format.length + 1),
          Math.round(rate(ours)),
          Math.round(rate(rival)),
          ratio.toFixed(2),
        ]);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return {
      columns: [
        'format',
        `peak MB over the baseline, ${largeBytes / MIB} MB read`,
        'MB/s',
        'bare parser',
        'MB/s, short runs',
        'MB/s, bare',
        'ratio',
      ],
      rows,
      notes: [
        'Floor: a peak of 64 MB and 0.7 of the speed of the bare parser. Aim: 48 MB and 0.95.',
        `Each run in a process of its own, record by record. Peak: the highest resident memory above that before reading. Ratio: the median of ${rounds} alternate runs over ${shortBytes / MIB} MB; of two bare parsers the faster counts (for NDJSON also readline was tried).`,
      ],
    };
  },
};

interface Task {
  readonly name: string;
  readonly path: string;
}

interface Measured {
  readonly sum: number;
  readonly bytesPerSecond: number;
  readonly peakBytes: number;
}

async function measure({ name, path }: Task): Promise<Measured> {
  const { size } = statSync(path);
  (globalThis as { gc?: () => void }).gc?.();
  const baseBytes = process.memoryUsage.rss();
  let peakBytes = baseBytes;
  const sample = () => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  };
  const timer = setInterval(sample, SAMPLE_EVERY_MS);
  const started = performance.now();
  const sum = await READERS[name]!(path);
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  sample();
  // The kernel's own high-water mark misses nothing between two samples, but also knows the start of the process.
  const highestBytes = Math.max(peakBytes, process.resourceUsage().maxRSS * 1024);
  return { sum, bytesPerSecond: size / seconds, peakBytes: highestBytes - baseBytes };
}

/** In a fresh process, so that one case's garbage and warm code are never another's figures. */
function inChild(task: Task): Promise<Measured> {
  return new Promise((resolve, reject) => {
    const child = fork(process.argv[1]!, {
      env: { ...process.env, [TASK]: JSON.stringify(task) },
      execArgv: ['--expose-gc'],
    });
    child.once('message', (measured) => resolve(measured as Measured));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${task.name} ended with ${code} and no figures.`)));
  });
}

function write(path: string, format: string, bytes: number): Promise<void> {
  return pipeline(Readable.from(content(format, bytes), { objectMode: false }), createWriteStream(path));
}

const WORDS = 'the agent remembers what earned its place and lets the rest go when memory is short'.split(' ');

/** A file of about `bytes`: chats with an agent, by line, by day, or as a table. */
function* content(format: string, bytes: number): Generator<Buffer> {
  const random = seededRandom(7);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const sentences = Array.from({ length: 2_000 }, () => Array.from({ length: 20 }, () => pick(WORDS)).join(' '));
  const isNested = format === 'nested JSON';
  const rowOf = format === 'CSV' ? csvRow : jsonRow;
  let written = 0;
  if (format === 'CSV') yield Buffer.from('id,at,user,said,tokens,score\n');
  if (isNested) yield Buffer.from('{"version":1,"days":[');
  for (let id = 0; written < bytes; ) {
    const rows: string[] = [];
    for (const end = id + 1_000; id < end; id++) {
      const [user, tokens] = [Math.floor(random() * 1e5), Math.floor(random() * 500)];
      rows.push(rowOf({ id, user, tokens, score: random(), said: pick(sentences), word: pick(WORDS) }));
    }
    const between = written > 0 ? ',' : '';
    const piece = isNested ? `${between}{"date":${id},"rows":[${rows.join(',')}]}` : `${rows.join('\n')}\n`;
    written += piece.length;
    yield Buffer.from(piece);
  }
  if (isNested) yield Buffer.from(']}');
}

interface Fields {
  readonly id: number;
  readonly user: number;
  readonly tokens: number;
  readonly score: number;
  readonly said: string;
  readonly word: string;
}

function jsonRow({ id, user, tokens, score, said, word }: Fields): string {
  return (
    `{"id":${id},"at":${1.7e12 + id * 37},"user":"user-${user}","role":"assistant","said":"${said}","tokens":${tokens},` +
    `"score":${score},"tags":["${word}","b"],"model":{"name":"m-1","region":"${word}","isWarm":true}}`
  );
}

/** Every fourth row has a quoted field. */
function csvRow({ id, user, tokens, score, said, word }: Fields): string {
  const field = id % 4 === 0 ? `"${said}, ""${word}"""` : said;
  return `${id},${1.7e12 + id * 37},user-${user},${field},${tokens},${score}`;
}
