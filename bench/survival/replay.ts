/**
 * One contestant, one limit, one replay: the processes that it takes and what they measured.
 *
 *   this process ── supervises ──▶ the server, alone in its cgroup ── asks ──▶ the simulated upstream
 *        └──────────── starts ───▶ the load generator ── asks ──▶ the server
 *
 * Only the server is limited. The demand is in proportion to the limit: a container of 256 MB gets the first half of the trace with
 * half the users, topics and passages, at the same pace. One demand for all limits would be 3 × the largest and 10 × the smallest, and nobody
 * puts the load of three containers of 512 MB into one of 160.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MIB } from '../../src/base/bytes.ts';
import { run, script, start } from './child-script.ts';
import { LimitedGroup } from './limited-group.ts';
import { type Death, type Health, SupervisedServer } from './supervised-server.ts';

/** The live demand of the whole trace is three times this. */
export const WHOLE_TRACE_LIMIT_BYTES = 512 * MIB;
/** The whole trace, 58 minutes, in a minute and a half. */
const WHOLE_TRACE_SECONDS = 90;
const TRACE_SECONDS = 3_501;
export const SEED = 2023;
/** Of users whose model answers in real time, within 20 seconds; theirs shrinks with the model's time, but not below that of a busy server. */
const PATIENCE_MS = 60_000;
const LEAST_PATIENCE_MS = 10_000;

export interface ReplayOptions {
  /** A file in `contestants/`, without `.mjs`. */
  readonly contestant: string;
  /** Variables the server is started with. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Hard limit of the server's group; Infinity only measures. */
  readonly limitBytes: number;
  /** The demand is three times this; by default the limit. */
  readonly demandForBytes?: number;
  readonly traceFile: string;
  /** How many times faster than usual; 1 by default. */
  readonly haste?: number;
  /** How many times faster than a real one the model is; as much as the replay by default. */
  readonly modelHaste?: number;
  /** So many requests at a time, as fast as they are answered, instead of when the trace says. */
  readonly users?: number;
}

export interface Replayed {
  readonly offered: number;
  readonly served: number;
  readonly refused: number;
  readonly failed: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly meanMs: number;
  readonly seconds: number;
  readonly hitRatio: number;
}

/** What became of what was acknowledged; for the unanswered nobody can tell. */
interface Kept {
  readonly acknowledged: number;
  readonly lost: number;
  readonly unanswered: number;
}

/** `asked` of the acknowledged turns were asked for, and all sessions. */
export interface Verified {
  readonly turns: Kept & { readonly asked: number };
  readonly sessions: Kept;
}

export interface ReplayResult extends Replayed, Verified {
  readonly deaths: readonly Death[];
  readonly peakBytes: number;
  readonly anonPeakBytes: number;
  /** Of the process that was alive when the replay ended. */
  readonly collections: Health | null;
}

export async function replay(options: ReplayOptions): Promise<ReplayResult> {
  const { contestant, limitBytes, demandForBytes = limitBytes, traceFile, haste = 1 } = options;
  const share = Math.min(1, demandForBytes / WHOLE_TRACE_LIMIT_BYTES);
  const compression = (TRACE_SECONDS / WHOLE_TRACE_SECONDS) * haste;
  const { modelHaste = compression, users } = options;
  await using group = new LimitedGroup({ limitBytes });
  const directory = await mkdtemp(join(tmpdir(), 'tenure-survival-'));
  const children: ChildProcess[] = [];
  try {
    await run('write-knowledge.mjs', directory, String(share));
    const upstream = start('upstream.mjs', String(modelHaste));
    children.push(upstream.child);
    const { port: upstreamPort } = await upstream.next<{ port: number }>();
    const port = await freePort();
    const command = [script(`contestants/${contestant}.mjs`), port, `http://127.0.0.1:${upstreamPort}`, directory];
    const started = { command: [process.execPath, ...command.map(String)], environment: options.environment };
    await using server = new SupervisedServer({ group, port, ...started });
    await server.ready();
    const patienceMs = Math.max(LEAST_PATIENCE_MS, PATIENCE_MS / modelHaste);
    const orders = { port, traceFile, share, compression, users, patienceMs, seed: SEED };
    const load = start('load.mjs', JSON.stringify(orders));
    children.push(load.child);
    const { replayed } = await load.next<{ replayed: Replayed }>();
    const collections = await server.health();
    load.child.stdin!.write('\n');
    const { verified } = await load.next<{ verified: Verified }>();
    const { peakBytes } = group;
    return {
      ...replayed,
      ...verified,
      collections,
      peakBytes,
      anonPeakBytes: server.anonPeakBytes,
      deaths: [...server.deaths],
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
