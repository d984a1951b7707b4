/** The assessment of a reading. */
import { z } from '@hono/zod-openapi';
import { LEVELS } from '../../base/levels.ts';

export const levelSchema = z.enum(LEVELS).openapi('Level');

export const assessmentSchema = z
  .object({
    score: z.number().describe('0 to 100'),
    level: levelSchema,
    reason: z.string(),
    targetBytes: z.int().describe('Bytes to regain; 0 when there is nothing to do.'),
    terms: z.record(z.string(), z.unknown()).describe('What the score is the worst of.'),
  })
  .openapi('Assessment');
