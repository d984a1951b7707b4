/** Pieces of route descriptions that many routes share. */
import type { z } from '@hono/zod-openapi';
import { problemSchema } from '../schemas/problem.ts';

/** A JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { 'application/json': { schema } } };
}

/** A JSON body that must be there. */
export function jsonRequest<Schema extends z.ZodType>(schema: Schema) {
  return { body: { content: { 'application/json': { schema } }, required: true } };
}

/** What any route may answer instead. */
export const refusals = {
  default: {
    description: 'A problem, with a stable code.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
};
