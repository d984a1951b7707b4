/** What every refused or failed request answers: a problem document (RFC 9457) with Tenure's stable code. */
import { z } from '@hono/zod-openapi';

export const problemSchema = z
  .object({
    type: z.string().describe('A name for this kind of problem, one for each code.'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable across releases; docs/errors.md lists them.'),
    detail: z.string().describe('What happened and what to do, for a person.'),
    details: z.record(z.string(), z.unknown()).describe('The numbers of the case.'),
  })
  .openapi('Problem');
