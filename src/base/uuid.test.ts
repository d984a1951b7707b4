import { expect, it } from 'vitest';
import { uuidV7 } from './uuid.ts';

it('is a version 7 UUID with its time in front, random behind, sorting by time', () => {
  const ids = [0, 1, 0xffff, 1_700_000_000_000.7, Date.UTC(2026, 0, 1)].map(uuidV7);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(ids[3]!.slice(0, 13)).toBe('018bcfe5-6800');
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(Array.from({ length: 1000 }, () => uuidV7(5))).size).toBe(1000);
});
