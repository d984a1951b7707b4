/**
 * The traces of `docs/reference-data.md` that caches are measured on, each as numbered keys in order of request.
 *
 * A trace with sizes is bounded by bytes, the others by entries.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dataFile } from '../reference-data.ts';
import { loadRival } from '../rivals/load.ts';

export interface Trace {
  readonly name: string;
  /** Whose it is and what may be done with it. */
  readonly source: string;
  /** Of each request: its key, numbered from 0 in order of first appearance. */
  readonly keys: Int32Array;
  /** Of each request: its size; null where every entry counts as one. */
  readonly sizes: Int32Array | null;
  readonly keyCount: number;
}

export async function loadTrace(name: TraceName): Promise<Trace> {
  return { name, ...(await TRACES[name]()) };
}

type Contents = Omit<Trace, 'name'>;

const CLOUD_PHYSICS = 'cloudPhysicsIO, libCacheSim’s example (data only; GPL-3 repository)';
const ARC = 'OLTP, Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement Cache", FAST 2003';
const LIRS = 'gli, loop, multi1 to 3: Jiang and Zhang, LIRS, SIGMETRICS 2002';
const MOONCAKE = 'Mooncake, FAST 2025: prefix blocks of LLM requests';

const TRACES = {
  cloudPhysicsIO: async (): Promise<Contents> => {
    const file = readFileSync(dataFile('cache-traces/cloudPhysicsIO.oracleGeneral.bin'));
    const count = file.length / 24;
    const ids = Array.from({ length: count }, (_, index) => file.readBigUInt64LE(index * 24 + 4));
    const sizes = Int32Array.from({ length: count }, (_, index) => file.readUInt32LE(index * 24 + 12));
    return { source: CLOUD_PHYSICS, sizes, ...numbered(ids) };
  },
  OLTP: async (): Promise<Contents> => {
    const { decompress } = await loadRival<{ decompress(data: Uint8Array): Uint8Array }>('fzstd');
    const text = Buffer.from(decompress(readFileSync(dataFile('cache-traces/OLTP.lis.zst')))).toString('latin1');
    const blocks: number[] = [];
    for (const line of text.split('\n')) {
      const [start, count] = line.split(' ').map(Number);
      for (let block = 0; block < (count ?? 0); block++) blocks.push(start! + block);
    }
    return { source: ARC, sizes: null, ...numbered(blocks) };
  },
  gli: () => lirs('gli'),
  loop: () => lirs('loop'),
  multi1: () => lirs('multi1'),
  multi2: () => lirs('multi2'),
  multi3: () => lirs('multi3'),
  mooncake: async (): Promise<Contents> => {
    const text = gunzipSync(readFileSync(dataFile('load/mooncake_synthetic_trace.jsonl.gz'))).toString();
    const requests = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { hash_ids: number[] });
    return { source: MOONCAKE, sizes: null, ...numbered(requests.flatMap((request) => request.hash_ids)) };
  },
};

export type TraceName = keyof typeof TRACES;

async function lirs(name: string): Promise<Contents> {
  const text = gunzipSync(readFileSync(dataFile(`cache-traces/lirs_${name}.trace.gz`))).toString();
  const lines = text.split('\n').map((line) => line.trim());
  return { source: LIRS, sizes: null, ...numbered(lines.filter((line) => line !== '' && line !== '*')) };
}

function numbered<K>(ids: readonly K[]): { keys: Int32Array; keyCount: number } {
  const numbers = new Map<K, number>();
  const keys = new Int32Array(ids.length);
  for (const [index, id] of ids.entries()) {
    let number = numbers.get(id);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(id, number);
    }
    keys[index] = number;
  }
  return { keys, keyCount: numbers.size };
}
