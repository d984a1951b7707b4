/**
 * With memory enough, what does Tenure cost an agent server, and what does it save?
 *
 * The server of the survival bench, at a demand that takes the plain version to four fifths of its container, and nobody is in need. Both
 * versions answer the same requests; they differ in what they hold. Rounds alternate; figures are medians of the rounds.
 *
 * The model answers in its real time here, for latency is compared as users feel it; what the server itself adds shows in the
 * answers from the cache, which no model slows down, and in the throughput. For that the model answers at once and so many requests are always on the way.
 */
import { MIB } from '../src/base/bytes.ts';
import { median } from './data/percentile.ts';
import { dataFile } from './reference-data.ts';
import { holding, type Subsystem } from './survival/holding.ts';
import { type ReplayResult, replay } from './survival/replay.ts';
import type { Bench } from './table.ts';

const CONTESTANTS = ['plain', 'tenure'] as const;
const LIMIT_BYTES = 512 * MIB;
const DEMAND_FOR_BYTES = 0.24 * LIMIT_BYTES;
const ROUNDS = 3;
/** Half the pace of the survival bench: nobody waits for a processor. */
const HASTE = 0.5;
const THROUGHPUT = { users: 16, modelHaste: 100_000 };
const SUBSYSTEMS: Readonly<Record<Exclude<Subsystem, 'nothing'>, string>> = {
  api: 'API server: conversations and sessions',
  vectors: 'vectors: knowledge base and embedding cache',
  retrieval: 'retrieval: passages and response cache',
};

type Contestant = (typeof CONTESTANTS)[number];

export const bench: Bench = {
  name: 'agent-server',
  question: 'With memory enough, what does Tenure cost an agent server, and what does it save?',
  async run({ small }) {
    const traceFile = dataFile('load/AzureLLMInferenceTrace_conv.csv.gz');
    const demandForBytes = DEMAND_FOR_BYTES / (small ? 8 : 1);
    const measured: Record<Contestant, Measured> = { plain: new Measured(), tenure: new Measured() };
    for (let round = 0; round < (small ? 1 : ROUNDS); round++) {
      for (const contestant of round % 2 === 0 ? CONTESTANTS : CONTESTANTS.toReversed()) {
        const run = { contestant, traceFile, demandForBytes, limitBytes: LIMIT_BYTES };
        measured[contestant].paced.push(
          await replay({ ...run, haste: small ? 4 : HASTE, modelHaste: small ? 100 : 1 }),
        );
        measured[contestant].crowded.push(await replay({ ...run, ...THROUGHPUT }));
      }
    }
    for (const contestant of CONTESTANTS) {
      for (const subsystem of ['nothing', 'api', 'vectors', 'retrieval'] as const) {
        const bytes = await holding({ contestant, traceFile, demandForBytes, subsystem });
        measured[contestant].held[subsystem] = bytes;
      }
    }
    const { plain, tenure } = measured;
    const row = (name: string, figure: (of: Measured) => number, aim: string, digits = 1) => {
      const [before, after] = [figure(plain), figure(tenure)];
      const change = `${after < before ? '−' : '+'}${Math.abs((after / before - 1) * 100).toFixed(1)} %`;
      return [name, before.toFixed(digits), after.toFixed(digits), change, aim];
    };
    return {
      columns: ['figure', 'plain', 'Tenure', 'difference', 'floor'],
      rows: [
        row('peak anonymous memory MB', (of) => of.median((run) => run.anonPeakBytes) / MIB, '−25 to −35 %', 0),
        row('of the limit %', (of) => (of.median((run) => run.anonPeakBytes) / LIMIT_BYTES) * 100, 'below 70 %'),
        ...Object.entries(SUBSYSTEMS).map(([name, title]) =>
          row(`${title}, MB`, (of) => of.subsystemBytes(name as Subsystem) / MIB, ORIGINAL[name as Subsystem]),
        ),
        row('overhead: all the rest at the peak, MB', (of) => of.overheadBytes() / MIB, ORIGINAL.nothing),
        row('mean latency ms', (of) => of.median((run) => run.meanMs), 'within 2 %'),
        row('median latency, from the cache, ms', (of) => of.median((run) => run.p50Ms!), 'within 2 %', 2),
        row('99th percentile of latency ms', (of) => of.median((run) => run.p99Ms!), 'within 2 %', 0),
        row('throughput, requests/s', (of) => of.throughput(), 'within 2 %', 0),
        row('cache hits %', (of) => of.median((run) => run.hitRatio * 100), 'above 85 %'),
        row('garbage collections', (of) => of.median(collections), '−30 %', 0),
        row('pauses for them ms', (of) => of.median((run) => run.collections!.pauseMs), '–', 0),
      ],
      notes: [
        'A subsystem: what its process holds more when it alone is filled as the replay fills it. Overhead: the peak without the subsystems, so process, requests on the way, garbage.',
        'Requests as in the survival bench, at half its pace, the model in real time; throughput with 16 requests always on the way and a model that answers at once.',
        `Source of the requests: Azure LLM inference trace 2023 (conversations), CC-BY. Container: ${LIMIT_BYTES / MIB} MB, no swap.`,
      ],
    };
  },
};

/** What the scheme that Tenure follows reports for itself; shown to compare with. */
const ORIGINAL: Readonly<Record<Subsystem, string>> = {
  api: '−18 %',
  vectors: '−23 %',
  retrieval: '−19 %',
  nothing: '−12 %',
};

/** All that was measured of one contestant. */
class Measured {
  readonly paced: ReplayResult[] = [];
  readonly crowded: ReplayResult[] = [];
  readonly held: Partial<Record<Subsystem, number>> = {};

  median(figure: (run: ReplayResult) => number): number {
    return median(this.paced.map(figure));
  }

  throughput(): number {
    return median(this.crowded.map(({ served, seconds }) => served / seconds));
  }

  subsystemBytes(name: Subsystem): number {
    return this.held[name]! - this.held.nothing!;
  }

  overheadBytes(): number {
    const subsystems = (['api', 'vectors', 'retrieval'] as const).map((name) => this.subsystemBytes(name));
    return this.median((run) => run.anonPeakBytes) - subsystems.reduce((sum, bytes) => sum + bytes, 0);
  }
}

function collections(run: ReplayResult): number {
  if (run.collections === null) throw new Error('A server was gone at the end of the replay, with memory enough.');
  return run.collections.major + run.collections.minor;
}
