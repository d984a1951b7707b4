import { describe, expect, it } from 'vitest';
import { MIB } from '../../base/bytes.ts';
import { checkSemiSpaces } from './runtime.ts';

describe('doctor looks at the semi-spaces', () => {
  const heapWith = (semiMb: number, oldMb = 128) => ({
    limitBytes: (oldMb + 3 * semiMb) * MIB,
    usableLimitBytes: oldMb * MIB,
  });
  const container = (mb: number) => ({ bytes: mb * MIB, source: 'cgroup' as const });

  it('and advises larger ones where V8 has made them small for a container', () => {
    expect(checkSemiSpaces(heapWith(1), container(256))).toMatchObject({
      severity: 'info',
      fix: expect.stringContaining('--max-semi-space-size=7'),
    });
    expect(checkSemiSpaces(heapWith(1), container(160)).fix).toContain('--max-semi-space-size=4.');
    expect(checkSemiSpaces(heapWith(4, 512), container(4096)).fix).toContain('--max-semi-space-size=16.');
  });

  it('and is content with what it advises, with those of a machine, and not with those that fill the heap', () => {
    expect(checkSemiSpaces(heapWith(7), container(256)).severity).toBe('ok');
    expect(checkSemiSpaces(heapWith(16, 2048), container(4096)).severity).toBe('ok');
    expect(checkSemiSpaces(heapWith(1), { bytes: 256 * MIB, source: 'physical' }).severity).toBe('ok');
    expect(checkSemiSpaces(heapWith(16, 64), container(160))).toMatchObject({ severity: 'warning' });
  });
});
