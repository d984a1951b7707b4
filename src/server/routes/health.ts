/** Is it alive, is it ready, is its memory well: for orchestrators and scripts. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { MIB } from '../../base/bytes.ts';
import { levelRank } from '../../base/levels.ts';
import { livenessSchema, memoryHealthSchema, readinessSchema } from '../schemas/health.ts';
import type { ServedNode } from '../served-node.ts';
import type { ServerEnvironment } from '../work-limits.ts';
import { json } from './described.ts';

const live = createRoute({
  method: 'get',
  path: '/health/live',
  summary: 'The process answers',
  responses: { 200: json(livenessSchema, 'It does.') },
});

const ready = createRoute({
  method: 'get',
  path: '/health/ready',
  summary: 'The node takes requests',
  responses: { 200: json(readinessSchema, 'It does.'), 503: json(readinessSchema, 'Not yet, not now, or no longer.') },
});

const memory = createRoute({
  method: 'get',
  path: '/health/memory',
  summary: 'How the memory of the process is',
  responses: {
    200: json(memoryHealthSchema, 'Healthy or degraded.'),
    503: json(memoryHealthSchema, 'Unhealthy: pressure is critical.'),
  },
});

export function healthRoutes(app: OpenAPIHono<ServerEnvironment>, node: ServedNode): void {
  app.openapi(live, (c) => c.json({ status: 'ok' as const }, 200));

  app.openapi(ready, (c) => {
    const readiness = node.readiness();
    const { store, memory } = readiness.checks;
    const takes = readiness.status === 'ready' && store === 'ok' && memory === 'ok';
    return c.json(readiness, takes ? 200 : 503);
  });

  app.openapi(memory, (c) => {
    const { reading, assessment, peakBytes } = node.monitor.status();
    const status = (['healthy', 'healthy', 'degraded', 'unhealthy'] as const)[levelRank(assessment.level)]!;
    const { score, level, reason } = assessment;
    const body = {
      status,
      memory_mb: megabytes(reading.anonBytes),
      peak_mb: megabytes(peakBytes),
      pressure: { score, level, reason },
    };
    return c.json(body, status === 'unhealthy' ? 503 : 200);
  });
}

function megabytes(bytes: number): number {
  return Math.round((bytes / MIB) * 10) / 10;
}
