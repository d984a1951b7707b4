/** The state of the node, its past, and what happened. */
import { z } from '@hono/zod-openapi';
import { SEVERITIES } from '../../platform/log-line.ts';
import { budgetSchema } from './budget.ts';
import { admissionSchema, cacheSchema, poolSchema, quotaUseSchema, sessionPoolSchema } from './holders.ts';
import { alertSchema, assessmentSchema, levelSchema } from './pressure.ts';
import { readingSchema } from './reading.ts';

/** What the stream sends as `reading`. */
export const momentSchema = z
  .object({ reading: readingSchema, pressure: assessmentSchema, budget: budgetSchema })
  .openapi('Moment');

export const nodeStatusSchema = momentSchema
  .extend({
    trend: z.enum(['increasing', 'decreasing', 'stable']),
    growthMbPerHour: z.number(),
    peakBytes: z.number(),
    averageBytes: z.number(),
    efficiencyScore: z.number().describe('0 to 100: bytes doing useful work over bytes held.'),
    opportunities: z.array(z.string()).readonly(),
    alerts: z.array(alertSchema).readonly(),
    status: z
      .enum(['OK', 'WARNING', 'CRITICAL'])
      .describe('CRITICAL while an alert of severity error stands, WARNING with a warning, else OK.'),
    shedding: z.boolean().describe('New work is refused.'),
    observeOnly: z.boolean(),
    driftBytes: z.number().describe('Grown since the start, and reserved by no consumer.'),
    retainedBytes: z.number().describe('Freed here, kept by the allocator.'),
    caches: z.array(cacheSchema).readonly(),
    pools: z.array(poolSchema).readonly(),
    sessions: z.array(sessionPoolSchema).readonly(),
    quotas: z.array(quotaUseSchema).readonly().describe('Owners that hold most, largest first.'),
    admission: admissionSchema,
    store: z.object({ path: z.string(), sizeBytes: z.number(), memories: z.int(), scopes: z.int() }),
    node: z.object({ version: z.string(), nodeVersion: z.string(), pid: z.int(), startedAtMs: z.number() }),
  })
  .openapi('NodeStatus');

const figure = z.number().optional();

const historyFiguresSchema = z
  .object({
    systemTotalBytes: figure,
    systemAvailableBytes: figure,
    systemUsedPercent: figure,
    arrayBufferBytes: figure,
    vectorIndexBytes: figure,
    embeddingCacheBytes: figure,
    heapCommittedBytes: figure,
    usableHeapLimitBytes: figure,
    containerUsedBytes: figure,
    containerAnonBytes: figure,
    containerLimitBytes: figure,
    stallSomePercent: figure,
    stallFullPercent: figure,
    collectionShare: figure,
    majorCollectionsPerMinute: figure,
    driftBytes: figure,
    retainedBytes: figure,
  })
  .openapi('HistoryFigures', { description: 'What else was measured; what the platform cannot tell is absent.' });

export const historyPointSchema = z
  .object({
    atMs: z.number(),
    rssBytes: z.number(),
    anonBytes: z.number(),
    heapUsedBytes: z.number(),
    liveHeapBytes: z.number().nullable(),
    externalBytes: z.number(),
    limitBytes: z.number(),
    score: z.number(),
    level: levelSchema,
    reservedBytes: z.number(),
    consumers: z
      .array(z.object({ name: z.string(), bytes: z.number() }))
      .readonly()
      .optional(),
    peakAnonBytes: z.number().optional().describe('Highest of the readings this point stands for.'),
    peakScore: z.number().optional(),
    figures: historyFiguresSchema.optional(),
  })
  .openapi('HistoryPoint');

/** A number in a query string. */
const queryNumber = z.coerce.number().openapi({ type: 'number' });

export const historyQuerySchema = z.strictObject({
  fromMs: queryNumber.min(0).optional().describe('One hour before `toMs` by default.'),
  toMs: queryNumber.min(0).optional().describe('Now by default.'),
  points: queryNumber
    .int()
    .min(2)
    .max(5000)
    .default(600)
    .describe('At most as many points come back; 2 to 5,000, 600 by default.'),
});

export const historySchema = z
  .object({ resolutionMs: z.number(), points: z.array(historyPointSchema).readonly() })
  .openapi('History');

export const eventSchema = z
  .looseObject({
    type: z.string().describe('<room>.<what_happened>'),
    atMs: z.number(),
    severity: z.enum(SEVERITIES),
    text: z.string().describe('What happened, as the log says it.'),
  })
  .openapi('Event');

export const eventsQuerySchema = z.strictObject({
  limit: queryNumber.int().min(1).max(1000).default(100).describe('1 to 1,000; 100 by default.'),
});

export const eventsSchema = z
  .object({ events: z.array(eventSchema).readonly().describe('Newest first.') })
  .openapi('Events');
