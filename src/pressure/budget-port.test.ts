import { expect, it } from 'vitest';
import { largestOf } from './budget-port.ts';

it('names twenty consumers in a reading, and sums up the others', () => {
  const consumers = Array.from({ length: 25 }, (_, n) => ({ name: `c${n}`, bytes: n, idleBytes: 0 }));
  const named = largestOf(consumers);
  expect(named).toHaveLength(21);
  expect(named[0]).toMatchObject({ name: 'c24', bytes: 24 });
  expect(named.at(-1)).toEqual({ name: '(others)', bytes: 0 + 1 + 2 + 3 + 4 });
  expect(largestOf(consumers.slice(0, 20))).toHaveLength(20);
});
