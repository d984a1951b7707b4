import { describe, expect, it } from 'vitest';
import { InvariantError } from '../base/assert.ts';
import { TenureError } from '../base/errors.ts';
import type { MemoryStore } from '../storage/memory-store.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { UsageLedger } from './usage-ledger.ts';

type Uses = Parameters<MemoryStore['countUses']>[0];

function ledgerOver(countUses: (uses: Uses) => Promise<void>): UsageLedger {
  return new UsageLedger({ store: { countUses } as MemoryStore, clock: new ManualClock({ startMs: 5 }) });
}

describe('UsageLedger', () => {
  it('keeps what could not be written for the next time, with what came meanwhile', async () => {
    const written: Uses[] = [];
    let fails = true;
    const ledger = ledgerOver(async (uses) => {
      if (fails) throw new TenureError('STORE_FULL', 'disk full');
      written.push(uses);
    });
    ledger.count(['a', 'b']);
    const failing = ledger.write();
    ledger.count(['a']);
    await failing;
    fails = false;
    await ledger.close();
    expect(written).toEqual([
      [
        { id: 'a', uses: 2, lastUsedAtMs: 5 },
        { id: 'b', uses: 1, lastUsedAtMs: 5 },
      ],
    ]);
  });

  it('writes many counts in slices, and those of a slice that failed again, alone', async () => {
    const written: Uses[] = [];
    const ledger = ledgerOver(async (uses) => {
      written.push(uses);
      if (written.length === 2) throw new TenureError('STORE_LOCKED', 'locked');
    });
    const ids = Array.from({ length: 1200 }, (_, index) => `id${index}`);
    ledger.count(ids);
    await ledger.write();
    await ledger.close();
    expect(written.map(({ length }) => length)).toEqual([500, 500, 500, 200]);
    expect(written.flatMap((uses, index) => (index === 1 ? [] : uses.map(({ id }) => id)))).toEqual(ids);
  });

  it('does not hide that Tenure itself is wrong', async () => {
    const ledger = ledgerOver(() => Promise.reject(new InvariantError('broken')));
    ledger.count(['a']);
    await expect(ledger.close()).rejects.toThrow(InvariantError);
  });

  it('writes again after a time that failed for a reason it does not know', async () => {
    const written: Uses[] = [];
    let error: Error | undefined = new RangeError('no error of a store');
    const ledger = ledgerOver(async (uses) => {
      if (error) throw error;
      written.push(uses);
    });
    ledger.count(['a']);
    await expect(ledger.write()).rejects.toBe(error);
    error = undefined;
    ledger.count(['b']);
    await ledger.close();
    expect(written).toEqual([[{ id: 'b', uses: 1, lastUsedAtMs: 5 }]]);
  });
});
