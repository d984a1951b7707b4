/** One small application for each framework, all with the same routes behind admission; for the tests of the faces. */
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import express5 from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { admitRequests as admitExpress } from '../../src/integrations/admission/express.ts';
import { admitRequests as admitFastify } from '../../src/integrations/admission/fastify.ts';
import { admitRequests as admitHono } from '../../src/integrations/admission/hono.ts';
import { ticketOf } from '../../src/integrations/admission/node-request.ts';
import type { AdmitRequestsOptions } from '../../src/integrations/admission/request-gate.ts';
import type { Admission } from '../../src/pressure/admission/admission.ts';
import type { Ticket } from '../../src/pressure/admission/ticket.ts';

// Express 4 brings no types, and those of 5 fit it here.
const express4 = createRequire(import.meta.url)('express-4') as typeof express5;

export type FaceOptions = Omit<
  AdmitRequestsOptions<never>,
  'admission' | 'kind' | 'tenant' | 'priority' | 'exempt' | 'estimate'
> & {
  readonly estimate?: number | 'learned' | (() => number);
  readonly exempt?: readonly string[];
};

/** What the routes of every face do; the test moves them. */
export class Stage {
  /** Tickets that handlers have seen. */
  readonly seen: (Ticket | undefined)[] = [];
  readonly hanging: (() => void)[] = [];
  /** Chunks that `/stream` still sends, on demand. */
  readonly chunks: (() => void)[] = [];

  see(ticket: Ticket | undefined): void {
    this.seen.push(ticket);
  }
  hang(): Promise<void> {
    return new Promise((resolve) => this.hanging.push(resolve));
  }
  async *parts(): AsyncGenerator<string> {
    for (let part = 0; part < 3; part++) {
      yield `part ${part}\n`;
      await new Promise<void>((resolve) => this.chunks.push(resolve));
    }
  }
}

export type Make = (stage: Stage, admission: Admission, options: FaceOptions) => Promise<Server>;

function expressApp(make: typeof express5): Make {
  return async (stage, admission, options) => {
    const app = make();
    app.use(admitExpress({ admission, ...options }));
    app.use((request, _response, next) => {
      stage.see(ticketOf(request));
      next();
    });
    app.all('/ok', (_request, response) => void response.send('ok'));
    app.get('/throw', () => {
      throw new Error('broken');
    });
    app.get('/hang', async (_request, response) => {
      await stage.hang();
      response.send('late');
    });
    app.get('/stream', async (_request, response) => {
      for await (const part of stage.parts()) response.write(part);
      response.end();
    });
    app.post('/body', (request, response) => {
      request.resume().on('end', () => response.send(String(ticketOf(request)?.bytes)));
    });
    app.use((_error: unknown, _request: express5.Request, response: express5.Response, _next: () => void) => {
      response.status(500).send('failed');
    });
    return createServer(app);
  };
}

export const faces: Record<string, Make> = {
  'Express 5': expressApp(express5),
  'Express 4': expressApp(express4),
  'Fastify 5': async (stage, admission, options) => {
    const app = fastify();
    await app.register(admitFastify, { admission, ...options });
    app.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume().on('end', () => done(null));
    });
    app.addHook('preHandler', async (request) => stage.see(ticketOf(request)));
    app.all('/ok', async () => 'ok');
    app.get('/throw', async () => {
      throw new Error('broken');
    });
    app.get('/hang', async () => {
      await stage.hang();
      return 'late';
    });
    app.get('/stream', async (_request, reply) => {
      return reply.send(Readable.from(stage.parts()));
    });
    app.post('/body', async (request) => String(ticketOf(request)?.bytes));
    await app.ready();
    return app.server;
  },
  'Hono on Node': async (stage, admission, options) =>
    createServer(getRequestListener(honoApp(stage, admission, options).fetch)),
};

export function honoApp(stage: Stage, admission: Admission, options: FaceOptions) {
  const app = new Hono<{ Variables: { ticket: Ticket | undefined } }>();
  app.use(admitHono({ admission, ...options }));
  app.use(async (c, next) => {
    stage.see(c.get('ticket'));
    await next();
  });
  app.all('/ok', (c) => c.text('ok'));
  app.get('/throw', () => {
    throw new Error('broken');
  });
  app.get('/hang', async (c) => {
    await stage.hang();
    return c.text('late');
  });
  app.get('/stream', (c) =>
    stream(c, async (out) => {
      for await (const part of stage.parts()) await out.write(part);
    }),
  );
  app.post('/body', async (c) => {
    await c.req.arrayBuffer();
    return c.text(String(c.get('ticket')?.bytes));
  });
  app.onError((_error, c) => c.text('failed', 500));
  return app;
}
