/**
 * The object pool against a plain account (`pool-world.ts`): 300 generated pools × 100 operations, every promise read after each.
 *
 * Never more than `max` alive, no object in two hands, first come first served, books that are the live objects' bytes, `min` kept, and
 * after the last fault everything well again. On failure fast-check prints the seed and the path that repeat the case.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PoolWorld } from './pool-world.ts';

const POOLS = 300;
const OPERATIONS = 100;

const shape = fc
  .record({
    seed: fc.nat(2 ** 31),
    min: fc.nat(3),
    extra: fc.integer({ min: 1, max: 6 }),
    maxWaiting: fc.constantFrom(0, 3, 50),
    checkAfterIdleMs: fc.constantFrom(0, 100, Number.POSITIVE_INFINITY),
    maxUses: fc.constantFrom(2, Number.POSITIVE_INFINITY),
    maxLifetimeMs: fc.constantFrom(1_500, Number.POSITIVE_INFINITY),
    hasReset: fc.boolean(),
    faults: fc.constantFrom(
      { throws: 0, rejects: 0, hangs: 0, late: 0 },
      { throws: 0.1, rejects: 0.1, hangs: 0.05, late: 0.2 },
      { throws: 0.3, rejects: 0.3, hangs: 0.1, late: 0.1 },
    ),
    room: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ extra, ...rest }) => ({ ...rest, max: rest.min + extra }));

const operation = fc.tuple(fc.nat(99), fc.nat(999), fc.nat(999));
const operations = fc.array(operation, { minLength: OPERATIONS, maxLength: OPERATIONS });

async function apply(world: PoolWorld, [kind, a, b]: [number, number, number]): Promise<void> {
  if (kind < 35) world.acquire(a % 4 === 0 ? 1 + (b % 400) : 0);
  else if (kind < 65) world.giveBack(a, b);
  else if (kind < 70) world.abort(a);
  else if (kind < 74) world.discard(a);
  else if (kind < 77) world.crowd(a % 10);
  else if (kind < 82) world.reclaim(1 + (a % 6), b % 2 === 0);
  else await world.clock.advance(a % 250);
  await new Promise((resolve) => setImmediate(resolve));
  world.check();
}

it('keeps every promise in 300 pools of 100 operations', { timeout: 120_000 }, async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(shape, operations, async (chosen, steps) => {
      const world = new PoolWorld(chosen);
      for (const step of steps) {
        await apply(world, step);
        expect(world.problems).toEqual([]);
      }
      await world.calmDown();
      expect(world.problems).toEqual([]);
      await world.close();
      expect(world.problems).toEqual([]);
      for (const code of world.codes) seen.add(code);
      for (const { type } of world.events) seen.add(type);
      const { destroyed } = world.pool.statistics();
      for (const [cause, count] of Object.entries(destroyed)) if (count > 0) seen.add(cause);
    }),
    { numRuns: POOLS, interruptAfterTimeLimit: 100_000, markInterruptAsFailure: true },
  );
  // Nothing of this may have been missed by chance: then the test would show less than it says.
  const outcomes = ['POOL_TIMEOUT', 'POOL_QUEUE_FULL', 'POOL_CREATE_FAILED', 'aborted'];
  const events = [
    'pool.create_failed',
    'pool.check_failed',
    'pool.destroy_failed',
    'pool.exhausted',
    'pool.leases_left',
  ];
  const causes = ['idle', 'lifetime', 'uses', 'check', 'reset', 'broken', 'reclaim', 'close', 'late'];
  expect([...seen]).toEqual(expect.arrayContaining([...outcomes, ...events, ...causes, 'pool.lease_held_too_long']));
  expect([...seen]).not.toContain('budget.consumer_failed');
});
