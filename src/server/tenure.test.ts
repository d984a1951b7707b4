import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Tenure } from '../platform/tenure.ts';
import { memoryHealthSchema } from './schemas/health.ts';
import { answerSchema, ingestedSchema } from './schemas/help.ts';
import { recalledSchema, rememberedSchema } from './schemas/memory.ts';
import { historySchema, nodeStatusSchema } from './schemas/monitoring.ts';
import { createServer } from './server.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-served-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('a real node over HTTP', () => {
  it('remembers, recalls, takes in, answers and shows its state, all as described', async () => {
    await using node = await Tenure.open({
      directory: folder,
      environment: {},
      configuration: { server: { port: 0 } },
    });
    await using server = createServer({ node });
    const { port } = await server.listen();
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
    const post = async (path: string, type: string, body: string) =>
      (
        await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'content-type': type }, body })
      ).json();
    const postJson = (path: string, body: unknown) => post(path, 'application/json', JSON.stringify(body));

    const scope = { tenant: 'acme', user: 'ann' };
    const { memory } = rememberedSchema.parse(
      await postJson('/memories', { scope, text: 'Ann prefers short answers.' }),
    );
    const { results } = recalledSchema.parse(await postJson('/recall', { scope, query: 'what does Ann prefer?' }));
    expect(results.map((result) => result.memory.id)).toEqual([memory.id]);

    const guide =
      '# Guide\n\n## Busy timeout\n\nSet a busy timeout with the option timeout when the database is opened.\n';
    const ingest = () => post('/ingest?name=guide.md&tenant=default&agent=help', 'text/markdown', guide);
    expect(ingestedSchema.parse(await ingest())).toMatchObject({ name: 'guide.md', unchanged: false });
    expect(ingestedSchema.parse(await ingest())).toMatchObject({ memories: 0, unchanged: true });
    const answer = answerSchema.strict().parse(await postJson('/ask', { question: 'how do I set a busy timeout?' }));
    expect(answer.sources[0]).toMatchObject({ path: 'guide.md' });

    const status = await get('/monitoring/memory');
    expect(nodeStatusSchema.parse(status)).toEqual(status);
    expect(historySchema.parse(await get('/monitoring/history')).points.length).toBeLessThanOrEqual(600);
    expect(memoryHealthSchema.parse(await get('/health/memory')).memory_mb).toBeGreaterThan(10);
    expect(await get('/health/ready')).toEqual({ status: 'ready', checks: { store: 'ok', memory: 'ok' } });
    expect(await get('/monitoring/events')).toMatchObject({
      events: expect.arrayContaining([
        expect.objectContaining({
          type: 'platform.opened',
          severity: 'info',
          text: expect.stringContaining(' open in '),
        }),
      ]),
    });

    expect(await postJson('/recall', { scope, query: ' ' })).toMatchObject({ status: 400, code: 'QUERY_EMPTY' });
    expect(await postJson('/memories', { scope, text: 'x'.repeat(70_000) })).toMatchObject({
      status: 413,
      code: 'MEMORY_TOO_LARGE',
    });
    const binary = await post('/ingest?name=a.txt&tenant=default', 'text/plain', '\0\0\0binary\0');
    expect(binary).toMatchObject({ status: 415, code: 'INGEST_BINARY' });
  });
});
