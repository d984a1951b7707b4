/** Questions to the help agent, and the documents it answers from. */
import { z } from '@hono/zod-openapi';
import { reasonSchema, scopeQuerySchema, scopeSchema } from './memory.ts';

export const askSchema = z
  .strictObject({
    question: z.string(),
    scope: scopeSchema.optional().describe("The help agent's own by default."),
    limit: z.int().optional().describe('Most sources; 5 by default.'),
  })
  .openapi('Ask');

export const answerSchema = z
  .object({
    answer: z.string().describe('Empty when nothing was found.'),
    sources: z
      .array(
        z.object({
          memoryId: z.string(),
          title: z.string(),
          path: z.string().nullable(),
          heading: z.string().nullable(),
          excerpt: z.string(),
          score: z.number(),
          why: z.array(reasonSchema).readonly(),
        }),
      )
      .readonly(),
    confident: z.boolean(),
    fromOwnDocumentation: z.boolean().optional().describe('It answers from what Tenure knows of itself.'),
    tookMs: z.number(),
  })
  .openapi('Answer');

export const ingestQuerySchema = z.strictObject({
  ...scopeQuerySchema.shape,
  session: z.string().optional(),
  name: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^\P{Cc}*$/u, 'must not contain control characters')
    .describe('Identity of the document; the same name again replaces what was known of it.'),
});

export const ingestedSchema = z
  .object({
    name: z.string(),
    memories: z.int().describe('Passages that were kept.'),
    unchanged: z.boolean().describe('True when this very document was known already.'),
    tookMs: z.number(),
  })
  .openapi('Ingested');
