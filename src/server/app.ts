/**
 * The routes with everything that stands before them, in order: security headers, loopback checks, a place among the requests in
 * flight; then the route, before which stands admission where it makes the node work. Whatever is thrown on the way becomes a problem document.
 */
import { OpenAPIHono, type z } from '@hono/zod-openapi';
import { secureHeaders } from 'hono/secure-headers';
import type { Clock } from '../base/clock.ts';
import type { EventSink } from '../base/events.ts';
import { VERSION } from '../platform/version.ts';
import { ScopeRequiredError } from '../storage/scope.ts';
import { refuseForeign } from './loopback.ts';
import { failureOf, problemResponse } from './problem.ts';
import { RequestRefusedError } from './refusal.ts';
import type { RequestsInFlight } from './requests-in-flight.ts';
import { dashboardRoutes } from './routes/dashboard.ts';
import { healthRoutes } from './routes/health.ts';
import { helpRoutes } from './routes/help.ts';
import { memoryRoutes } from './routes/memories.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { monitoringRoutes } from './routes/monitoring.ts';
import type { ServedNode } from './served-node.ts';
import type { ServerEvent } from './server-event.ts';
import type { Broadcast } from './stream/broadcast.ts';
import type { ServerEnvironment } from './work-limits.ts';

export interface AppOptions {
  readonly node: ServedNode;
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly requests: RequestsInFlight;
  readonly dashboardDirectory: string;
  readonly onEvent: EventSink<ServerEvent>;
}

export type App = OpenAPIHono<ServerEnvironment>;

export function createApp(options: AppOptions): App {
  const { node, clock, requests, onEvent } = options;
  const app: App = new OpenAPIHono<ServerEnvironment>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error, (result as { data?: unknown }).data);
    },
  });

  app.onError((error, c) => {
    const response = problemResponse(error);
    if (response.status >= 500 && response.status !== 503) {
      const { method, path } = c.req;
      onEvent({
        type: 'server.request_failed',
        atMs: clock.nowMs(),
        method,
        path,
        status: response.status,
        ...failureOf(error),
      });
    }
    return response;
  });
  app.notFound((c) => {
    const { method, path } = c.req;
    return problemResponse(
      new RequestRefusedError('NOT_FOUND', `There is no ${method} ${path}. /openapi.json lists what there is.`),
    );
  });

  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        ...{
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          fontSrc: ["'self'"],
          connectSrc: ["'self'"],
        },
        ...{ baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
      },
      xFrameOptions: 'DENY',
      strictTransportSecurity: false,
    }),
  );
  app.use(refuseForeign);
  app.use(async (c, next) => {
    using request = requests.begin(c.req.raw.signal);
    c.set('signal', request.signal);
    await next();
  });
  app.use(async (c, next) => {
    await next();
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store');
  });

  healthRoutes(app, node);
  monitoringRoutes(app, options);
  metricsRoutes(app, node);
  memoryRoutes(app, options);
  helpRoutes(app, options);
  app.get('/openapi.json', (c) => c.json(openApiDocument(app)));
  dashboardRoutes(app, options.dashboardDirectory);
  return app;
}

/** What this server can be asked, as OpenAPI 3.1. */
function openApiDocument(app: App) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Tenure',
      version: VERSION,
      description: 'Memory management for AI agents: monitoring, memories, questions.',
      license: { name: 'MIT' },
    },
    servers: [{ url: '/' }],
  });
}

/** A message may repeat every key of a request: the first problems say enough, and the beginning of each. */
const PROBLEMS_TOLD = 5;
const PROBLEM_CHARACTERS = 300;

/** A request that does not fit its schema; one without a scope is told so by the scope's own error. */
function invalidRequest(error: z.ZodError, data: unknown): ScopeRequiredError | RequestRefusedError {
  const noScope = error.issues.some(
    ({ path }) => ['scope', 'tenant'].includes(String(path.at(-1))) && (valueAt(data, path) ?? null) === null,
  );
  if (noScope) return new ScopeRequiredError();
  const problems = error.issues
    .slice(0, PROBLEMS_TOLD)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join('.')}: ${message}`))
    .map((problem) => (problem.length > PROBLEM_CHARACTERS ? `${problem.slice(0, PROBLEM_CHARACTERS)}…` : problem));
  return new RequestRefusedError(
    'INVALID_REQUEST',
    `The request is not as /openapi.json describes it. ${problems.join('; ')}`,
    {
      details: { problems },
    },
  );
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part],
    data,
  );
}
