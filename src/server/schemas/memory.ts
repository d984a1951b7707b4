/** Memories as they are told, kept, asked for and found. Limits on their content are long-term memory's own. */
import { z } from '@hono/zod-openapi';
import { BATCH_LIMIT, TAGS_LIMIT } from '../../agent-memory/memory-input.ts';
import type { Json } from '../../storage/memory-store.ts';
import { boundedList } from './bounded-list.ts';

export const scopeSchema = z
  .strictObject({
    tenant: z.string(),
    agent: z.string().optional(),
    user: z.string().optional(),
    session: z.string().optional(),
  })
  .openapi('Scope', {
    description: 'The mandatory address: exactly this tenant, agent and user; in recall, one session or all.',
  });

/** A scope in a query string. */
export const scopeQuerySchema = z.strictObject(scopeSchema.omit({ session: true }).shape);

const metadataSchema = z.record(z.string(), z.unknown() as z.ZodType<Json>);

const tagsSchema = boundedList(z.string(), { limit: TAGS_LIMIT, described: { type: 'string' } });

const memorySchema = z
  .object({
    id: z.string(),
    scope: scopeSchema,
    text: z.string(),
    tags: z.array(z.string()).readonly(),
    metadata: metadataSchema,
    importance: z.number(),
    createdAtMs: z.number(),
    atMs: z.number(),
    validFromMs: z.number().nullable(),
    validToMs: z.number().nullable(),
    expiresAtMs: z.number().nullable(),
    pinned: z.boolean(),
    source: z.string().nullable(),
    speaker: z.string().nullable(),
    model: z.string().nullable().describe('The model that made its vectors.'),
    uses: z.int(),
    lastUsedAtMs: z.number().nullable(),
  })
  .openapi('Memory');

export const rememberSchema = z
  .strictObject({
    scope: scopeSchema,
    text: z.string(),
    tags: tagsSchema.optional(),
    metadata: metadataSchema.optional(),
    importance: z.number().optional().describe('0 to 1; 0.5 by default.'),
    validFromMs: z.number().optional(),
    validToMs: z.number().optional(),
    ttlMs: z.number().optional(),
    pinned: z.boolean().optional(),
    source: z.string().optional(),
    speaker: z.string().optional(),
    atMs: z.number().optional().describe('When it happened; now by default.'),
  })
  .openapi('Remember');

export const rememberBatchSchema = z
  .strictObject({
    items: boundedList(rememberSchema, { limit: BATCH_LIMIT, described: { $ref: '#/components/schemas/Remember' } }),
  })
  .openapi('RememberBatch');

export const rememberedSchema = z.object({ memory: memorySchema }).openapi('Remembered');

export const rememberedBatchSchema = z
  .object({ memories: z.array(z.object({ id: z.string() })).readonly() })
  .openapi('RememberedBatch');

export const reasonSchema = z
  .object({ signal: z.string(), detail: z.string(), weight: z.number().describe('Share of the score.') })
  .openapi('Reason');

export const recallSchema = z
  .strictObject({
    scope: scopeSchema,
    query: z.string(),
    limit: z.int().optional().describe('5 by default.'),
    maxTokens: z.int().optional(),
    tags: tagsSchema.optional(),
    fromMs: z.number().optional(),
    toMs: z.number().optional(),
    minImportance: z.number().optional(),
  })
  .openapi('Recall');

export const recalledSchema = z
  .object({
    results: z
      .array(z.object({ memory: memorySchema, score: z.number(), why: z.array(reasonSchema).readonly() }))
      .readonly(),
    tookMs: z.number(),
  })
  .openapi('Recalled');
