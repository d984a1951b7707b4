/** The three health answers. `/health/memory` uses the names of its specification, in MB, for the scripts that read it. */
import { z } from '@hono/zod-openapi';
import { levelSchema } from './pressure.ts';

export const livenessSchema = z.object({ status: z.literal('ok') }).openapi('Liveness');

export const readinessSchema = z
  .object({
    status: z.enum(['starting', 'ready', 'closing']),
    checks: z.object({ store: z.enum(['ok', 'failing']), memory: z.enum(['ok', 'shedding']) }),
  })
  .openapi('Readiness');

export const memoryHealthSchema = z
  .object({
    status: z.enum(['healthy', 'degraded', 'unhealthy']).describe('degraded at pressure high, unhealthy at critical'),
    memory_mb: z.number().describe('Anonymous resident memory: what an out-of-memory kill counts.'),
    peak_mb: z.number(),
    pressure: z.object({ score: z.number(), level: levelSchema, reason: z.string() }),
  })
  .openapi('MemoryHealth');
