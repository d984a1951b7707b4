/** The assessment of a reading, and the alerts that follow. */
import { z } from '@hono/zod-openapi';
import { LEVELS } from '../../base/levels.ts';

export const levelSchema = z.enum(LEVELS).openapi('Level');

export const assessmentSchema = z
  .object({
    score: z.number().describe('0 to 100'),
    level: levelSchema,
    reason: z.string(),
    targetBytes: z.number().describe('Bytes to regain; 0 when there is nothing to do.'),
    processTargetBytes: z.number().describe('Bytes the process must come down by, wherever they live in it.'),
    heapTargetBytes: z.number().describe('Bytes the heap must come down by.'),
    terms: z
      .array(
        z.object({
          name: z.string(),
          score: z.number(),
          reason: z.string(),
          excessBytes: z.number(),
          where: z.literal('heap').optional(),
        }),
      )
      .readonly()
      .describe('What the score is the worst of, worst first.'),
  })
  .openapi('Assessment');

export const alertSchema = z
  .object({
    kind: z.string(),
    severity: z.enum(['info', 'warning', 'error']),
    message: z.string(),
    value: z.number(),
    threshold: z.number(),
    unit: z.enum(['bytes', 'bytes_per_hour', 'percent', 'score']),
    sinceMs: z.number(),
    reminders: z.int(),
    holders: z.array(z.object({ name: z.string(), bytes: z.number() })).readonly(),
    done: z.string().nullable(),
  })
  .openapi('Alert');
