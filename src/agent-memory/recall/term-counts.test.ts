import { describe, expect, it } from 'vitest';
import { TemporaryStore } from '../../testing/temporary-store.ts';

const ANN = { tenant: 'acme', user: 'ann' };

describe('termCounts', () => {
  it('counts the memories of one partition that hold each term', async () => {
    await using temporary = await TemporaryStore.create();
    const memory = await temporary.openMemory();
    for (const text of ['Busy timeout, busy disk.', 'A timeout.', 'Lunch.'])
      await memory.remember(text, { scope: ANN });
    await memory.remember('Another timeout.', { scope: { tenant: 'acme', user: 'ben' } });
    expect(await memory.termCounts('the busy timeouts of zebras', ANN)).toEqual({
      memories: 3,
      withTerm: new Map([
        ['busi', 1],
        ['timeout', 2],
        ['zebra', 0],
      ]),
    });
    expect(await memory.termCounts('timeout', { tenant: 'nobody' })).toEqual({
      memories: 0,
      withTerm: new Map([['timeout', 0]]),
    });
  });
});
