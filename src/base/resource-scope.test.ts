import { describe, expect, it } from 'vitest';
import { ResourceScope } from './resource-scope.ts';

describe('ResourceScope', () => {
  it('releases in reverse order, synchronous and asynchronous resources alike', async () => {
    const log: string[] = [];
    {
      await using scope = new ResourceScope();
      scope.use({ [Symbol.dispose]: () => void log.push('first') });
      scope.use({
        [Symbol.asyncDispose]: async () => {
          await Promise.resolve();
          log.push('second');
        },
      });
      scope.defer(() => log.push('third'));
      expect(scope.size).toBe(3);
    }
    expect(log).toEqual(['third', 'second', 'first']);
  });

  it('runs every release and tells every error', async () => {
    const scope = new ResourceScope('test scope');
    let released = 0;
    const fail = (message: string) => () => {
      released++;
      throw new Error(message);
    };
    scope.defer(fail('one'));
    scope.defer(() => released++);
    scope.defer(fail('two'));
    const error: unknown = await scope.close().catch((thrown: unknown) => thrown);
    expect(released).toBe(3);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors.map(String)).toEqual(['Error: two', 'Error: one']);
  });

  it('closes once and takes nothing afterwards', async () => {
    const scope = new ResourceScope();
    let released = 0;
    scope.defer(() => released++);
    await scope.close();
    await scope.close();
    expect(released).toBe(1);
    expect(() => scope.defer(() => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });

  it('takes nothing from what it releases, not even from the first', async () => {
    const scope = new ResourceScope();
    const refusals: unknown[] = [];
    const add = () => {
      try {
        scope.defer(() => {});
      } catch (error) {
        refusals.push(error);
      }
      void scope.close();
    };
    scope.defer(add);
    scope.defer(add);
    await scope.close();
    const closed = expect.objectContaining({ code: 'CLOSED' });
    expect(refusals).toEqual([closed, closed]);
    expect(scope.size).toBe(0);
  });
});
