/** Recall quality on real conversations: the floors below which a change of ranking must not fall. */
import { describe, expect, it } from 'vitest';
import { bench } from '../../bench/locomo.ts';

describe('recall on LoCoMo', () => {
  it('finds the evidence of held-out conversations at least this often', async () => {
    const { columns, rows } = await bench.run({ small: false });
    const reported = rows.find((row) => row[0] === 'reported' && row[2] === 'all');
    const figure = (depth: number) => Number(reported?.[columns.indexOf(`@${depth}`)]);
    expect(reported?.[columns.indexOf('count')]).toBe(695);
    expect(figure(5)).toBeGreaterThanOrEqual(60);
    expect(figure(10)).toBeGreaterThanOrEqual(69);
    expect(figure(25)).toBeGreaterThanOrEqual(79);
    expect(figure(50)).toBeGreaterThanOrEqual(85);
  });
});
