/**
 * Who survives a hard memory limit with three times as much to hold?
 *
 * A realistic agent server (`survival/agent.mjs`) replays the Azure conversation trace in a cgroup without swap. The contestants are one
 * server with three ways to hold what it holds: plain Maps; the packages that careful users combine today; Tenure. Whoever is killed is
 * started again at once. Afterwards everything that was acknowledged is asked for.
 */
import { createRequire } from 'node:module';
import { MIB } from '../src/base/bytes.ts';
import { dataFile, MissingDataError } from './reference-data.ts';
import { type ReplayResult, replay } from './survival/replay.ts';
import type { Bench } from './table.ts';

const CONTESTANTS = {
  plain: 'plain Maps on node:http',
  bounded: 'lru-cache, express-session, under-pressure on Fastify',
  tenure: 'Tenure on node:http',
  advised: 'Tenure, started as tenure doctor advises',
} as const;
/** Of its contestant; the others start as they are. */
const ADVISED = 'tenure';
const LIMITS_MB = [512, 256, 160];
const SMALL = { limitsMb: [160], haste: 2.5 };

type Contestant = keyof typeof CONTESTANTS;

export const bench: Bench = {
  name: 'survival',
  question: 'Who survives a hard memory limit with three times as much to hold, and at what price?',
  async run({ small }) {
    const traceFile = dataFile('load/AzureLLMInferenceTrace_conv.csv.gz');
    requireRivals();
    const contestants = Object.keys(CONTESTANTS) as Contestant[];
    const rows: (string | number)[][] = [];
    for (const limitMb of small ? SMALL.limitsMb : [Number.POSITIVE_INFINITY, ...LIMITS_MB]) {
      for (const contestant of contestants) {
        const limitBytes = limitMb * MIB;
        const demandForBytes = Math.min(limitBytes, LIMITS_MB[0]! * MIB);
        const result = await replay({
          ...startOf(contestant, limitBytes),
          limitBytes,
          demandForBytes,
          traceFile,
          haste: small ? SMALL.haste : 1,
        });
        rows.push(row({ contestant, limitMb, result }));
        console.log(`  ${contestant} at ${limitMb} MB: ${ending(result)}`);
        for (const { by, lastWords } of result.deaths) if (by === 'another cause') console.log(lastWords);
      }
    }
    return {
      columns: [
        'contestant',
        'limit MB',
        'end',
        'restarts',
        'requests',
        'served %',
        'refused',
        'failed',
        'p50 ms',
        'p99 ms',
        'peak MB',
        'peak anonymous MB',
        'turns lost %',
        'turns unanswered %',
        'sessions lost %',
        'sessions unanswered %',
        'cache hits %',
      ],
      rows,
      notes: [
        'Floors for Tenure: finishes at all three limits, loses nothing that was acknowledged, serves 95 % at 512 and 256 MB, p99 within twice that without a limit.',
        'Requests: arrivals, prompt and generated tokens of the Azure LLM inference trace 2023 (conversations; CC-BY), 39 times as fast, open loop; latency from when a request was due.',
        'As doctor advises: --max-semi-space-size of a fortieth of the limit, 16 MB at most; MALLOC_ARENA_MAX=2, MALLOC_MMAP_THRESHOLD_=131072. Any of the servers may be started so.',
        'The demand is three times the limit: 512 MB gets the whole trace, 256 MB its first half, 160 MB its first 31 %, with as large a share of users, topics and passages. The runs without a limit get the whole trace.',
        'Lost: of up to 4,000 acknowledged turns, and of all sessions, what is gone or wrong when it is asked for after the replay. Unanswered: refused for as long as it was asked, so nobody can tell.',
        'Killed by the kernel: over the limit of the cgroup. Heap limit: V8 ends the process at the heap size that it derives from the limit of the cgroup.',
      ],
    };
  },
};

/** What `tenure doctor` says of glibc's allocator and of the semi-spaces that V8 gives a process in a small container. */
function startOf(contestant: Contestant, limitBytes: number) {
  if (contestant !== 'advised') return { contestant };
  const semiSpaceMb = Math.min(16, Math.ceil(limitBytes / MIB / 40));
  const environment = {
    NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --max-semi-space-size=${semiSpaceMb}`,
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: '131072',
  };
  return { contestant: ADVISED, environment };
}

/** The bounded contestant loads its packages itself; here only that they are there is asked. */
function requireRivals(): void {
  try {
    createRequire(new URL('./rivals/package.json', import.meta.url)).resolve('fastify');
  } catch {
    throw new MissingDataError('The packages to compare with are not installed; run: npm ci --prefix bench/rivals');
  }
}

function row(run: { contestant: Contestant; limitMb: number; result: ReplayResult }): (string | number)[] {
  const { contestant, limitMb, result } = run;
  const { offered, served, refused, failed, deaths, turns, sessions } = result;
  return [
    CONTESTANTS[contestant],
    limitMb === Number.POSITIVE_INFINITY ? 'none' : limitMb,
    ending(result),
    deaths.length,
    offered,
    percent(served, offered),
    refused,
    failed,
    result.p50Ms?.toFixed(1) ?? '–',
    result.p99Ms?.toFixed(0) ?? '–',
    (result.peakBytes / MIB).toFixed(0),
    (result.anonPeakBytes / MIB).toFixed(0),
    percent(turns.lost, turns.asked),
    percent(turns.unanswered, turns.asked),
    percent(sessions.lost, sessions.acknowledged),
    percent(sessions.unanswered, sessions.acknowledged),
    (result.hitRatio * 100).toFixed(1),
  ];
}

function ending({ deaths }: ReplayResult): string {
  const [first] = deaths;
  if (first === undefined) return 'finished';
  const causes = [...new Set(deaths.map(({ by }) => by))].join(' and ');
  return `killed by ${causes}, first after ${(first.atMs / 1000).toFixed(0)} s`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : ((part / whole) * 100).toFixed(1);
}
