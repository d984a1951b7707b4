/** The node's figures for Prometheus. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { NodeStatus } from '../../platform/node-status.ts';
import { EXPOSITION_TYPE, exposition } from '../metrics/exposition.ts';
import { holderFamilies } from '../metrics/holder-families.ts';
import { nodeFamilies } from '../metrics/node-families.ts';
import type { ServedNode } from '../served-node.ts';
import type { ServerEnvironment } from '../work-limits.ts';
import { refusals } from './described.ts';

const metrics = createRoute({
  method: 'get',
  path: '/metrics',
  summary: 'Figures for Prometheus',
  description: 'The text format, version 0.0.4.',
  responses: { 200: { description: 'The figures.', content: { 'text/plain': { schema: z.string() } } }, ...refusals },
});

export function metricsRoutes(app: OpenAPIHono<ServerEnvironment>, node: ServedNode): void {
  app.openapi(metrics, (c) => c.text(metricsOf(node.status()), 200, { 'content-type': EXPOSITION_TYPE }));
}

function metricsOf(status: NodeStatus): string {
  return exposition([...nodeFamilies(status), ...holderFamilies(status)]);
}
