import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { systemClock, wait } from './clock.ts';

describe('the system clock', () => {
  it('tells wall time and a time that never goes back', () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000);
    const first = systemClock.monotonicMs();
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(first);
  });

  it('fires a timer once, and never a cancelled one', async () => {
    let fired = 0;
    using cancelled = systemClock.after(1, () => fired++);
    cancelled.cancel();
    await new Promise<void>((resolve) => systemClock.after(5, resolve, { keepAlive: true }));
    expect(fired).toBe(0);
  });

  it('repeats until cancelled', async () => {
    let ticks = 0;
    await new Promise<void>((resolve) => {
      const timer = systemClock.every(1, () => {
        if (++ticks < 3) return;
        timer.cancel();
        resolve();
      });
      systemClock.after(5000, resolve, { keepAlive: true }).cancel();
    });
    expect(ticks).toBe(3);
  });

  it.each([-1, Number.NaN, 2 ** 31, '5' as never])('refuses a delay of %o', (delayMs) => {
    expect(() => systemClock.after(delayMs, () => {})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('the manual clock', () => {
  it('fires in order of due time, ties in order of creation, at the due time', async () => {
    const clock = new ManualClock({ startMs: 1000 });
    const log: [string, number][] = [];
    const note = (name: string) => () => void log.push([name, clock.nowMs()]);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    using ticking = clock.every(15, note('tick'));
    await clock.advance(31);
    expect(log).toEqual([
      ['a', 1010],
      ['tick', 1015],
      ['b', 1020],
      ['c', 1020],
      ['tick', 1030],
    ]);
    ticking.cancel();
    expect(clock.pendingTimers).toBe(0);
  });

  it('runs awaiting code between timers', async () => {
    const clock = new ManualClock();
    const reached: number[] = [];
    const walk = (async () => {
      for (let round = 0; round < 3; round++) {
        await wait(clock, 10);
        reached.push(clock.monotonicMs());
      }
    })();
    await clock.advance(30);
    await walk;
    expect(reached).toEqual([10, 20, 30]);
  });

  it('jumps wall time without touching timers', async () => {
    const clock = new ManualClock({ startMs: 0 });
    let fired = false;
    clock.after(10, () => (fired = true));
    clock.jumpWallClock(-86_400_000);
    expect(clock.nowMs()).toBe(-86_400_000);
    expect(fired).toBe(false);
    await clock.advance(10);
    expect(fired).toBe(true);
  });
});

describe('wait', () => {
  it('rejects with the reason on abort and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const waiting = wait(clock, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
    await expect(wait(clock, 1, controller.signal)).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
  });
});
