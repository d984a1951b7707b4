/** What lives under the budget: caches, pools, sessions, admission, and the owners that share them. */
import { z } from '@hono/zod-openapi';

const count = z.int();
const byCause = z.record(z.string(), count).readonly();

export const cacheSchema = z
  .object({
    name: z.string(),
    policy: z.string().describe('Who leaves first.'),
    entries: count,
    bytes: count,
    expiredBytes: count.describe('Of entries whose time is over and that were not dropped yet.'),
    reservedBytes: count,
    peakBytes: count,
    maxBytes: count.nullable(),
    maxEntries: count.nullable(),
    hits: count,
    misses: count,
    hitRatio: z.number().describe('Hits of all reads, 0 to 1.'),
    sets: count,
    refusals: byCause.describe('Values that were not kept, by cause.'),
    evictions: byCause.describe('Entries that left, by cause.'),
    computations: count,
    computationErrors: count,
    lateResults: count,
    computing: count,
    callbackErrors: count,
  })
  .openapi('Cache');

export const poolSchema = z
  .object({
    name: z.string(),
    min: count,
    max: count,
    size: count.describe('Objects alive.'),
    borrowed: count,
    idle: count,
    creating: count,
    waiting: count,
    bytes: count,
    created: count,
    borrows: count,
    destroyed: byCause.describe('By cause.'),
    timeouts: count,
    refusals: count.describe('Refused at once because too many waited.'),
    createErrors: count,
    checkErrors: count,
    destroyErrors: count,
    heldTooLong: count,
    abandoned: count,
    returnedTwice: count,
    waitMs: z.object({ p50: z.number(), p99: z.number() }),
  })
  .openapi('Pool');

export const sessionPoolSchema = z
  .object({
    name: z.string(),
    live: count.describe('In memory.'),
    max: count,
    bytes: count,
    idleBytes: count,
    pinned: count,
    unwritten: count,
    waiting: count,
    hits: count,
    misses: count,
    loaded: count.describe('Read from the disk.'),
    through: count.describe('Answered without being kept, for want of room.'),
    spilled: count.describe('Left memory for the disk.'),
    created: count,
    destroyed: count,
    expired: count,
    purged: count,
    written: count,
    conflicts: count,
    merged: count,
    lost: count,
    damaged: count,
    writeFailures: count,
  })
  .openapi('SessionPool');

export const admissionSchema = z
  .object({
    admitted: count,
    refused: byCause.describe('By reason.'),
    wouldHaveRefused: count.describe('Taken only because the node observes.'),
    openTickets: count,
    openBytes: count,
    waiting: count,
    lost: count.describe('Tickets that were never released.'),
    overruns: count,
    circuit: z.enum(['closed', 'open', 'half_open']),
  })
  .openapi('Admission');

export const quotaUseSchema = z
  .object({
    owner: z.string(),
    usedBytes: count,
    limitBytes: count.nullable(),
    refusals: count,
  })
  .openapi('QuotaUse');
