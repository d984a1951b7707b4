/** One measured state of the process, its host and its container. What a platform cannot tell is absent. */
import { z } from '@hono/zod-openapi';

export const readingSchema = z
  .object({
    atMs: z.number(),
    limit: z.object({
      bytes: z.number(),
      source: z.enum(['cgroup', 'configured', 'physical']),
      path: z.string().optional(),
    }),
    systemTotalBytes: z.number(),
    systemAvailableBytes: z.number(),
    systemUsedPercent: z.number(),
    rssBytes: z.number(),
    anonBytes: z.number(),
    heap: z.object({
      usedBytes: z.number(),
      committedBytes: z.number().optional(),
      liveBytes: z.number().optional(),
      limitBytes: z.number(),
      usableLimitBytes: z.number(),
    }),
    externalBytes: z.number(),
    arrayBufferBytes: z.number(),
    vectorIndexBytes: z.number(),
    embeddingCacheBytes: z.number(),
    container: z
      .object({
        version: z.union([z.literal(1), z.literal(2)]),
        limitBytes: z.number().optional(),
        path: z.string().optional(),
        usedBytes: z.number(),
        anonBytes: z.number(),
        unreclaimableKernelBytes: z.number(),
        fullerGroup: z.object({ path: z.string(), limitBytes: z.number(), heldBytes: z.number() }).optional(),
      })
      .optional(),
    stall: z.object({ someAvg10: z.number(), fullAvg10: z.number() }).optional(),
    collection: z.object({ share: z.number(), majorPerMinute: z.number(), majors: z.int().optional() }),
    consumers: z.array(z.object({ name: z.string(), bytes: z.number() })).readonly(),
  })
  .openapi('Reading');
