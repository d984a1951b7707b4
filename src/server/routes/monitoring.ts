/** The state of the node: now, in the past, and what happened. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { Clock } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import {
  eventsQuerySchema,
  eventsSchema,
  historyQuerySchema,
  historySchema,
  nodeStatusSchema,
} from '../schemas/monitoring.ts';
import type { ServedNode } from '../served-node.ts';
import type { Broadcast } from '../stream/broadcast.ts';
import { toldEvent } from '../told-event.ts';
import { answerWithin, type ServerEnvironment } from '../work-limits.ts';
import { json, refusals } from './described.ts';

const HOUR_MS = 3_600_000;

export function monitoringRoutes(
  app: OpenAPIHono<ServerEnvironment>,
  { node, clock, broadcast }: { node: ServedNode; clock: Clock; broadcast: Broadcast },
): void {
  const memory = createRoute({
    method: 'get',
    path: '/monitoring/memory',
    summary: 'The state of the node now',
    responses: { 200: json(nodeStatusSchema, 'The state.'), ...refusals },
  });
  app.openapi(memory, (c) => c.json(node.status(), 200));

  const history = createRoute({
    method: 'get',
    path: '/monitoring/history',
    summary: 'Stored readings of a span of time',
    request: { query: historyQuerySchema },
    middleware: [answerWithin(node.configuration.server.requestTimeoutMs, clock)],
    responses: { 200: json(historySchema, 'The readings, down-sampled.'), ...refusals },
  });
  app.openapi(history, async (c) => {
    const { toMs = clock.nowMs(), fromMs = toMs - HOUR_MS, points } = c.req.valid('query');
    if (fromMs > toMs) throw new InvalidArgumentError('fromMs', `must not be later than toMs (${toMs}).`);
    return c.json(await node.history({ fromMs, toMs, points }), 200);
  });

  const events = createRoute({
    method: 'get',
    path: '/monitoring/events',
    summary: 'What happened last',
    request: { query: eventsQuerySchema },
    responses: { 200: json(eventsSchema, 'The events.'), ...refusals },
  });
  app.openapi(events, (c) => {
    const { limit } = c.req.valid('query');
    return c.json({ events: node.recentEvents(limit).map(toldEvent) }, 200);
  });

  const stream = createRoute({
    method: 'get',
    path: '/monitoring/stream',
    summary: 'Readings and events as they come',
    description:
      'Server-sent events: `reading` (a Moment, at most four a second) and `event` (an Event). A comment every 15 s shows that the connection lives.',
    responses: { 200: { description: 'The stream.', content: { 'text/event-stream': {} } }, ...refusals },
  });
  app.openapi(stream, () => {
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    return new Response(broadcast.open(), { headers });
  });
}
