import { expect, it } from 'vitest';
import type { ConsumerSnapshot } from '../../budget/snapshot.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { createFakeNode } from '../fake-node.ts';
import { serveFake } from '../test-server.ts';
import { exposition } from './exposition.ts';
import { nodeFamilies } from './node-families.ts';

const status = () => createFakeNode({ clock: new ManualClock(), directory: '/nowhere' }).status();

it('is served under the names of the specification', async () => {
  await using served = await serveFake(new ManualClock());
  served.node.set({ level: 'high' });
  const response = await fetch(`${served.url}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n');
  for (const line of [
    'memory_allocated_bytes 1048576',
    'memory_peak_bytes 1048576',
    'memory_pressure_level 2',
    'memory_allocation_count 1',
    'tenure_consumer_bytes{consumer="node/cache",where="heap"} 1048576',
    'tenure_drift_bytes 3145728',
    'tenure_retained_bytes 2097152',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.filter((line) => line.startsWith('tenure_stall'))).toEqual([]);
});

it('names the largest consumers and sums up the others', () => {
  const calm = status();
  const [cache] = calm.budget.consumers as [ConsumerSnapshot];
  const consumers = Array.from({ length: 60 }, (_, n) => ({
    ...cache,
    path: `node/c${n}`,
    bytes: n,
    reclaimableBytes: 1,
  }));
  const text = exposition(nodeFamilies({ ...calm, budget: { ...calm.budget, consumers } }));
  expect(text).toContain('tenure_consumer_bytes{consumer="node/c59",where="heap"} 59\n');
  expect(text).not.toContain('consumer="node/c9"');
  expect(text).toContain('tenure_consumer_bytes{consumer="(others)",where="any"} 45\n');
  expect(text).toContain('tenure_consumer_reclaimable_bytes{consumer="(others)",where="any"} 10\n');
});
