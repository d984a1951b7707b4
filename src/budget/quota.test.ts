import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Quotas } from './quota.ts';

it('refuses what takes an owner over its limit, and nobody else', () => {
  const quotas = new Quotas({ limitBytes: 100 });
  quotas.setLimit('acme', 50);
  expect(quotas.tryCharge('acme', 50)).toBe(true);
  expect(quotas.tryCharge('acme', 1)).toBe(false);
  expect(quotas.tryCharge('other', 100)).toBe(true);
  expect(quotas.largest(1)).toEqual([{ owner: 'other', usedBytes: 100, limitBytes: 100, refusals: 0 }]);
  expect(quotas.largest(9)[1]).toEqual({ owner: 'acme', usedBytes: 50, limitBytes: 50, refusals: 1 });
});

it('names those above a limit that was lowered until they have given it back', () => {
  const quotas = new Quotas();
  expect(quotas.tryCharge('acme', 80)).toBe(true);
  quotas.setCommonLimit(60);
  expect([...quotas.overLimit]).toEqual(['acme']);
  expect(quotas.excessBytes('acme')).toBe(20);
  quotas.refund('acme', 20);
  expect(quotas.overLimit.size).toBe(0);
  quotas.setLimit('acme', 10);
  expect(quotas.excessBytes('acme')).toBe(50);
  quotas.setLimit('acme', null);
  quotas.setCommonLimit(null);
  expect(quotas.overLimit.size).toBe(0);
});

it('refuses bad owners and sizes, and a refund of more than was charged', () => {
  const quotas = new Quotas();
  for (const owner of ['', 'x'.repeat(257), 7 as never]) expect(() => quotas.tryCharge(owner, 1)).toThrow('owner');
  for (const bytes of [-1, 0.5, Number.NaN]) {
    expect(() => quotas.tryCharge('acme', bytes)).toThrow('bytes');
    expect(() => quotas.refund('acme', bytes)).toThrow('bytes');
    expect(() => quotas.setLimit('acme', bytes)).toThrow('limitBytes');
  }
  quotas.tryCharge('acme', 5);
  expect(() => quotas.refund('acme', 6)).toThrow('only 5 are charged');
  expect(() => quotas.refund('nobody', 1)).toThrow('only 0 are charged');
});

it('keeps no books of owners that hold nothing', () => {
  const quotas = new Quotas({ limitBytes: 1 });
  for (let n = 0; n < 100; n++) {
    expect(quotas.tryCharge(`tenant ${n}`, 2)).toBe(false);
    quotas.tryCharge(`tenant ${n}`, 1);
    quotas.refund(`tenant ${n}`, 1);
  }
  expect(quotas.largest(Number.POSITIVE_INFINITY)).toEqual([]);
});

it('never lets an owner hold more than its limit, and always knows who does', () => {
  const step = fc.record({ owner: fc.constantFrom('a', 'b', 'c'), kind: fc.nat(2), bytes: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const quotas = new Quotas({ limitBytes: 100 });
      const used = new Map<string, number>();
      const limits = new Map<string, number>();
      for (const { owner, kind, bytes } of steps) {
        const held = used.get(owner) ?? 0;
        const limit = limits.get(owner) ?? 100;
        if (kind === 0) {
          expect(quotas.tryCharge(owner, bytes)).toBe(held + bytes <= limit);
          if (held + bytes <= limit) used.set(owner, held + bytes);
        } else if (kind === 1) {
          quotas.refund(owner, Math.min(bytes, held));
          used.set(owner, held - Math.min(bytes, held));
        } else {
          quotas.setLimit(owner, bytes);
          limits.set(owner, bytes);
        }
        const over = ['a', 'b', 'c'].filter((each) => (used.get(each) ?? 0) > (limits.get(each) ?? 100));
        expect([...quotas.overLimit].sort()).toEqual(over);
        for (const each of ['a', 'b', 'c']) expect(quotas.usedBytes(each)).toBe(used.get(each) ?? 0);
      }
    }),
  );
});
