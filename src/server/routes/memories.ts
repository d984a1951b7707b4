/** Long-term memory over HTTP: remember, get, forget, recall. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { admitted } from '../admitted.ts';
import { RequestRefusedError } from '../refusal.ts';
import {
  recalledSchema,
  recallSchema,
  rememberBatchSchema,
  rememberedBatchSchema,
  rememberedSchema,
  rememberSchema,
  scopeQuerySchema,
} from '../schemas/memory.ts';
import { answerWithin, jsonWork, type Served, type ServerEnvironment } from '../work-limits.ts';
import { json, jsonRequest, refusals } from './described.ts';

const idSchema = z.object({ id: z.string() });

export function memoryRoutes(app: OpenAPIHono<ServerEnvironment>, served: Served): void {
  const { node, clock } = served;
  const work = jsonWork(served);
  const timely = [admitted('one-memory', served), answerWithin(node.configuration.server.requestTimeoutMs, clock)];

  const remember = createRoute({
    method: 'post',
    path: '/memories',
    summary: 'Remember a text; it is durable when the answer comes',
    request: jsonRequest(rememberSchema),
    middleware: work,
    responses: { 201: json(rememberedSchema, 'The memory as it is kept.'), ...refusals },
  });
  app.openapi(remember, async (c) => {
    const { text, ...options } = c.req.valid('json');
    return c.json({ memory: await node.memory.remember(text, { ...options, signal: c.get('signal') }) }, 201);
  });

  const rememberBatch = createRoute({
    method: 'post',
    path: '/memories/batch',
    summary: 'Remember many texts in one transaction: all or none',
    request: jsonRequest(rememberBatchSchema),
    middleware: work,
    responses: { 201: json(rememberedBatchSchema, 'Their ids, in the same order.'), ...refusals },
  });
  app.openapi(rememberBatch, async (c) => {
    const memories = await node.memory.rememberAll(c.req.valid('json').items, { signal: c.get('signal') });
    return c.json({ memories: memories.map(({ id }) => ({ id })) }, 201);
  });

  const get = createRoute({
    method: 'get',
    path: '/memories/{id}',
    summary: 'One memory of a scope',
    request: { params: idSchema, query: scopeQuerySchema },
    middleware: timely,
    responses: { 200: json(rememberedSchema, 'The memory.'), ...refusals },
  });
  app.openapi(get, async (c) => {
    const { id } = c.req.valid('param');
    const memory = await node.memory.get(id, c.req.valid('query'));
    if (!memory) throw noSuchMemory(id);
    return c.json({ memory }, 200);
  });

  const forget = createRoute({
    method: 'delete',
    path: '/memories/{id}',
    summary: 'Forget one memory of a scope',
    request: { params: idSchema, query: scopeQuerySchema },
    middleware: timely,
    responses: { 204: { description: 'It is forgotten.' }, ...refusals },
  });
  app.openapi(forget, async (c) => {
    const { id } = c.req.valid('param');
    if (!(await node.memory.forget(id, c.req.valid('query')))) throw noSuchMemory(id);
    return c.body(null, 204);
  });

  const recall = createRoute({
    method: 'post',
    path: '/recall',
    summary: 'Find what answers a question, with reasons',
    request: jsonRequest(recallSchema),
    middleware: work,
    responses: { 200: json(recalledSchema, 'The best first.'), ...refusals },
  });
  app.openapi(recall, async (c) => {
    const { query, ...options } = c.req.valid('json');
    const startedMs = clock.monotonicMs();
    const results = await node.memory.recall(query, { ...options, signal: c.get('signal') });
    return c.json({ results, tookMs: Math.round((clock.monotonicMs() - startedMs) * 1000) / 1000 }, 200);
  });
}

function noSuchMemory(id: string): RequestRefusedError {
  return new RequestRefusedError('NOT_FOUND', 'There is no memory with this id in this scope.', { details: { id } });
}
