import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

describe('Turns', () => {
  it('lets work on one key follow each other, whatever becomes of it, and work on others run', async () => {
    const turns = new Turns();
    const log: string[] = [];
    let finishFirst = () => {};
    const first = new Promise<void>((resolve) => {
      finishFirst = resolve;
    });
    const works = [
      turns.take('a', async () => {
        log.push('a1');
        await first;
        throw new Error('failed');
      }),
      turns.take('a', async () => log.push('a2')),
      turns.take('b', async () => log.push('b1')),
    ];
    await works[2];
    expect(log).toEqual(['a1', 'b1']);
    finishFirst();
    const results = await Promise.allSettled(works);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(log).toEqual(['a1', 'b1', 'a2']);
    expect(turns.size).toBe(0);
  });
});
