/** The tree of budgets with their consumers. */
import { z } from '@hono/zod-openapi';
import type { BudgetSnapshot } from '../../budget/snapshot.ts';

export const consumerSchema = z
  .object({
    name: z.string(),
    path: z.string(),
    where: z.enum(['heap', 'slab', 'native', 'disk-cache']),
    priority: z.int(),
    bytes: z.int(),
    peakBytes: z.int(),
    minBytes: z.int(),
    maxBytes: z.int().optional(),
    reclaimableBytes: z.int(),
    idleBytes: z.int(),
    yieldRatio: z.number().describe('Bytes to expect for each byte asked, from experience.'),
    grants: z.int(),
  })
  .openapi('Consumer');

type Budget = Omit<BudgetSnapshot, 'consumers' | 'children'> & {
  readonly consumers: readonly z.infer<typeof consumerSchema>[];
  readonly children: readonly Budget[];
};

export const budgetSchema: z.ZodType<Budget> = z
  .object({
    name: z.string(),
    path: z.string(),
    limitBytes: z.int(),
    reservedBytes: z.int(),
    availableBytes: z.int(),
    peakBytes: z.int(),
    grantCount: z.int(),
    consumers: z.array(consumerSchema).readonly(),
    children: z.array(z.lazy(() => budgetSchema)).readonly(),
  })
  .openapi('Budget');
