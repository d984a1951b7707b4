/** What one subsystem of a contestant holds when it alone is filled as a whole replay fills it; see `fill-subsystem.mjs`, which does it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from './child-script.ts';
import { type ReplayOptions, SEED, WHOLE_TRACE_LIMIT_BYTES } from './replay.ts';

export type Subsystem = 'nothing' | 'api' | 'vectors' | 'retrieval';

/** Anonymous bytes of the process; those with `nothing` filled are for the caller to subtract. */
export async function holding(
  options: Pick<ReplayOptions, 'contestant' | 'traceFile'> & { subsystem: Subsystem; demandForBytes: number },
): Promise<number> {
  const { demandForBytes, ...rest } = options;
  const directory = await mkdtemp(join(tmpdir(), 'tenure-holding-'));
  const orders = { ...rest, directory, share: demandForBytes / WHOLE_TRACE_LIMIT_BYTES, compression: 1, seed: SEED };
  const { child, next } = start('fill-subsystem.mjs', JSON.stringify(orders));
  try {
    const { anonBytes } = await next<{ anonBytes: number }>();
    return anonBytes;
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
}
