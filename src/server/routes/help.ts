/** The help agent over HTTP: ask it, and give it documents to answer from. */
import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { IngestError, kindOfMediaType } from '../../agent-memory/ingest/document.ts';
import { admitted } from '../admitted.ts';
import { boundedBody } from '../bounded-body.ts';
import { RequestRefusedError } from '../refusal.ts';
import { answerSchema, askSchema, ingestedSchema, ingestQuerySchema } from '../schemas/help.ts';
import { Upload } from '../upload.ts';
import { jsonWork, type Served, type ServerEnvironment } from '../work-limits.ts';
import { json, jsonRequest, refusals } from './described.ts';

const DOCUMENT_TYPES = ['text/markdown', 'text/html', 'text/plain', 'application/x-ndjson'];

export function helpRoutes(app: OpenAPIHono<ServerEnvironment>, served: Served): void {
  const { node, clock } = served;

  const ask = createRoute({
    method: 'post',
    path: '/ask',
    summary: 'Ask the help agent; it answers with sources',
    request: jsonRequest(askSchema),
    middleware: jsonWork(served),
    responses: { 200: json(answerSchema, 'The answer.'), ...refusals },
  });
  app.openapi(ask, async (c) => {
    const { question, ...options } = c.req.valid('json');
    return c.json(await node.help.ask(question, { ...options, signal: c.get('signal') }), 200);
  });

  const ingest = createRoute({
    method: 'post',
    path: '/ingest',
    summary: 'Take in a document, streamed',
    request: {
      query: ingestQuerySchema,
      body: {
        content: Object.fromEntries(DOCUMENT_TYPES.map((type) => [type, { schema: { type: 'string' as const } }])),
        required: true,
      },
    },
    middleware: [admitted('document', served)],
    responses: { 200: json(ingestedSchema, 'What was taken in.'), ...refusals },
  });
  app.openapi(ingest, async (c) => {
    const { name, ...scope } = c.req.valid('query');
    const kind = kindOfMediaType(c.req.header('content-type') ?? '');
    if (!kind) {
      throw new RequestRefusedError(
        'UNSUPPORTED_MEDIA_TYPE',
        `Say what the document is: content-type ${DOCUMENT_TYPES.join(', ')}.`,
      );
    }
    const { ingestLimitBytes, requestTimeoutMs } = node.configuration.server;
    const signal = c.get('signal');
    const limits = { maxBytes: ingestLimitBytes, idleMs: requestTimeoutMs, clock, signal };
    await using upload = await Upload.receive(boundedBody(c.req.raw, limits), node.paths.directory);
    const document = { name, kind, sizeBytes: upload.sizeBytes, open: () => upload.read() };
    const report = await node.ingest([document], { scope, signal });
    const [failure] = report.failed;
    if (failure) throw new IngestError(failure.code, failure.message, { details: { name } });
    return c.json({ name, memories: report.passages, unchanged: report.unchanged > 0, tookMs: report.tookMs }, 200);
  });
}
