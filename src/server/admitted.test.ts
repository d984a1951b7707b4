/** The server's own use of admission: what needs a ticket, what a full budget refuses, and that every byte comes back. */
import { describe, expect, it } from 'vitest';
import { GIB, MIB } from '../base/bytes.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { ScriptedConsumer } from '../testing/scripted-consumer.ts';
import { serveFake, type TestServer, until } from './test-server.ts';

const scope = { tenant: 'acme', user: 'ann' };
const WORK = ['/memories', '/memories/batch', '/recall', '/ask', '/ingest?name=a.md&tenant=acme'];

/** A cache that holds more than the budget now allows, and gives nothing. */
function overfill({ node: { budget } }: TestServer): ScriptedConsumer {
  const cache = new ScriptedConsumer(budget, { name: 'cache', bytes: GIB - 8 * MIB, onReclaim: () => 0 });
  budget.setLimit(GIB / 2, { reclaim: false });
  return cache;
}

describe('a full budget', () => {
  it('refuses work with 503 and a measured Retry-After, and lets health, monitoring and the dashboard be seen', async () => {
    const clock = new ManualClock();
    await using served = await serveFake(clock);
    const told: string[] = [];
    using _ = served.node.events.subscribe(({ type }) => told.push(type));
    const cache = overfill(served);
    for (const path of WORK) {
      const answer = served.post(path, { scope, text: 'x', query: 'x', question: 'x', items: [] });
      await until(() => served.node.admission.statistics().waiting === 1);
      await clock.advance(500);
      const response = await answer;
      expect([path, response.status]).toEqual([path, 503]);
      expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
      expect(await response.json()).toMatchObject({ code: 'ADMISSION_REFUSED', details: { reason: 'budget' } });
    }
    const atOnce = await served.post('/recall', { scope, query: 'x' });
    expect(await atOnce.json()).toMatchObject({ code: 'ADMISSION_REFUSED', details: { reason: 'circuit_open' } });
    for (const path of ['/health/live', '/health/ready', '/monitoring/memory', '/monitoring/history', '/openapi.json'])
      expect([path, (await served.get(path)).status]).toEqual([path, 200]);
    expect(served.events.filter(({ type }) => type === 'server.request_failed')).toEqual([]);
    expect(told).toEqual(expect.arrayContaining(['admission.refusing', 'admission.circuit_changed']));
    cache.reservation.free();
    await clock.advance(1_000);
    expect((await served.post('/recall', { scope, query: 'x' })).status).toBe(200);
    await until(() => served.node.admission.statistics().openTickets === 0);
  });

  it('takes from caches what a request needs, and leaves some room for small ones', async () => {
    await using served = await serveFake(new ManualClock());
    const cache = overfill(served);
    cache.onReclaim = ({ targetBytes }) => cache.give(targetBytes);
    expect((await served.post('/memories', { scope, text: 'x' })).status).toBe(201);
    expect(cache.bytes).toBeLessThanOrEqual(GIB / 2);
    cache.reservation.tryGrow(served.node.budget.availableBytes);
    expect(served.node.budget.availableBytes).toBe(0);
    cache.requests.length = 0;
    expect((await served.post('/memories', { scope, text: 'x' })).status).toBe(201);
    expect(cache.requests).toEqual([]);
    cache.reservation.free();
  });

  it('answers 413 to a body larger than could ever be held', async () => {
    await using served = await serveFake(new ManualClock(), { limits: { bodyLimitBytes: 512 * MIB } });
    served.node.budget.setLimit(5 * MIB);
    const response = await served.post('/memories', { scope, text: 'x'.repeat(MIB) });
    expect([response.status, response.headers.get('retry-after')]).toEqual([413, null]);
    expect(await response.json()).toMatchObject({ code: 'ADMISSION_REFUSED', details: { reason: 'too_large' } });
  });
});

it('reading one memory and forgetting it go on, whatever the pressure and however full the budget', async () => {
  const clock = new ManualClock();
  await using served = await serveFake(clock);
  await served.post('/memories', { scope, text: 'x' });
  const cache = overfill(served);
  for (let count = 0; count < 5; count++) {
    const refused = served.post('/recall', { scope, query: 'x' });
    await until(() => served.node.admission.statistics().waiting === 1);
    await clock.advance(500);
    expect((await refused).status).toBe(503);
  }
  expect(served.node.admission.statistics().circuit).toBe('open');
  served.node.monitor.shedding = true;
  const path = '/memories/memory-0?tenant=acme&user=ann';
  expect((await served.get(path)).status).toBe(200);
  expect((await served.get(path, { method: 'DELETE' })).status).toBe(204);
  cache.reservation.free();
});

it('while only observing takes what it would have refused', async () => {
  await using served = await serveFake(new ManualClock());
  Object.assign(served.node.configuration.monitoring, { observeOnly: true });
  const cache = overfill(served);
  expect((await served.post('/recall', { scope, query: 'x' })).status).toBe(200);
  expect(served.node.admission.statistics()).toMatchObject({ wouldHaveRefused: 1, openBytes: 0 });
  cache.reservation.free();
});
