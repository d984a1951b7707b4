/** A whole node under real pressure: its limit comes down upon it, it gives, sheds, and works again when there is room. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MIB } from '../../src/base/bytes.ts';
import { Tenure } from '../../src/platform/tenure.ts';
import { consumersOf } from '../../src/pressure/budget-port.ts';
import { createServer } from '../../src/server/server.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tenure-pressure-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

it('gives its caches, refuses work with a reason and a time, and takes work again when the limit rises', async () => {
  const configurationPath = join(directory, 'tenure.yml');
  const limitTo = (mb: number) =>
    writeFile(
      configurationPath,
      `memory_management:\n  monitoring_interval_ms: 50\n  limits:\n    memory_limit_mb: ${mb}\nserver:\n  port: 0\n`,
    );
  await limitTo(8192);
  await using node = await Tenure.open({ directory, configurationPath, environment: {} });
  await using server = createServer({ node });
  const { port } = await server.listen();
  const at = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}${path}`, init);
  const scope = { tenant: 'acme', user: 'ann' };
  const recall = () =>
    at('/recall', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ scope, query: 'zebra' }),
    });
  const { memory } = node;
  await memory.rememberAll(
    Array.from({ length: 500 }, (_, index) => ({ text: `zebra ${index}`, scope: { ...scope, session: `${index}` } })),
  );
  expect((await recall()).status).toBe(200);
  const held = () =>
    Object.fromEntries(consumersOf(node.budget.snapshot()).map(({ name, bytes }) => [name, bytes] as const));
  const answers = node.cache<string, Buffer>('answers', {
    maxBytes: 64 * MIB,
    where: 'native',
    sizeOf: (text) => text.length,
  });
  for (let n = 0; n < 32; n++) answers.set(`question ${n}`, Buffer.alloc(MIB / 2));
  const sessions = node.sessions<{ name: string }, string>();
  for (let n = 0; n < 50; n++)
    await sessions.create({ name: `user ${n}` }, { id: `s${n}`, items: ['x'.repeat(20_000)] });
  expect(node.status()).toMatchObject({ caches: [{ entries: 32 }], sessions: [{ live: 50 }] });
  const before = held();
  expect(before['recall cache']).toBeGreaterThan(0);

  // Less than the process holds by itself: nothing its caches could give would be enough.
  const ballast = Buffer.alloc(100 * MIB, 1);
  await limitTo(ballast.length / MIB);
  await expect.poll(() => node.monitor.last?.assessment.level, { timeout: 10_000 }).toBe('critical');
  await expect.poll(() => held()['recall cache'], { timeout: 10_000 }).toBe(0);
  expect(held()['store page cache']).toBeLessThan(before['store page cache']!);
  await expect.poll(() => node.status().caches[0]!.entries, { timeout: 10_000 }).toBe(0);
  await expect.poll(() => node.status().sessions[0]!.live, { timeout: 10_000 }).toBe(0);
  // A returning user finds the session all the same.
  expect(await sessions.get('s7')).toMatchObject({ value: { name: 'user 7' } });
  expect(node.admission.tryAdmit(MIB)).toMatchObject({
    admitted: false,
    reason: 'pressure',
    retryAfterMs: expect.any(Number),
  });
  const refused = await recall();
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await refused.json()).toMatchObject({
    code: 'SHEDDING',
    details: { reason: expect.stringMatching(/ of \d/) },
  });
  expect((await at('/health/live')).status).toBe(200);
  expect(await (await at('/health/ready')).json()).toMatchObject({ status: 'ready', checks: { memory: 'shedding' } });
  expect((await at('/health/ready')).status).toBe(503);

  await limitTo(8192);
  await expect.poll(async () => (await recall()).status, { timeout: 20_000 }).toBe(200);
  expect((await at('/health/ready')).status).toBe(200);
  const types = node.recentEvents(500).map(({ type }) => type);
  expect(types).toEqual(expect.arrayContaining(['pressure.level_changed', 'pressure.responded', 'budget.reclaimed']));
}, 60_000);
