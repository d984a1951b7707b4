import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { CircuitChangedEvent } from './admission-events.ts';
import { CircuitBreaker, CircuitOpenError } from './circuit-breaker.ts';

let clock: ManualClock;
let events: CircuitChangedEvent[];
let breaker: CircuitBreaker;

const failing = () => breaker.run(() => Promise.reject(new Error('down')));
const working = () => breaker.run(async () => 'up');

async function failTimes(count: number): Promise<void> {
  for (let failure = 0; failure < count; failure++) await expect(failing()).rejects.toThrow('down');
}

beforeEach(() => {
  clock = new ManualClock();
  events = [];
  breaker = new CircuitBreaker({ name: 'provider', clock, events: (event) => events.push(event) });
});

afterEach(() => expect(clock.pendingTimers).toBe(0));

describe('a circuit', () => {
  it('opens after five failures in a row, refuses without a call, and lets one probe close it', async () => {
    await failTimes(5);
    expect(breaker.state).toBe('open');
    const refused = await working().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(CircuitOpenError);
    expect(refused).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1_000, details: { circuit: 'provider' } });
    await clock.advance(999);
    expect(breaker.tryPass()).toBeNull();
    expect(breaker.retryAfterMs).toBe(1);
    await clock.advance(1);
    expect(await working()).toBe('up');
    expect(breaker.state).toBe('closed');
    expect(events.map(({ from, to, pauseMs }) => [from, to, pauseMs])).toEqual([
      ['closed', 'open', 1_000],
      ['open', 'half_open', 0],
      ['half_open', 'closed', 0],
    ]);
  });

  it('stays closed when one success stands between the failures', async () => {
    for (let round = 0; round < 10; round++) {
      await failTimes(4);
      await working();
    }
    expect(breaker.state).toBe('closed');
  });

  it('stays closed when the failures are too far apart', async () => {
    for (let failure = 0; failure < 20; failure++) {
      await failTimes(1);
      await clock.advance(2_600);
    }
    expect(breaker.state).toBe('closed');
    await failTimes(2);
    expect(breaker.state).toBe('open');
  });

  it('doubles its pause up to thirty seconds while probes fail', async () => {
    await failTimes(5);
    const pausesMs: number[] = [];
    for (let probe = 0; probe < 7; probe++) {
      pausesMs.push(breaker.retryAfterMs);
      await clock.advance(breaker.retryAfterMs);
      await failTimes(1);
    }
    expect(pausesMs).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('goes on doubling when it opens again soon after it closed, and starts anew later', async () => {
    await failTimes(5);
    await clock.advance(1_000);
    await working();
    await failTimes(5);
    expect(breaker.retryAfterMs).toBe(2_000);
    await clock.advance(2_000);
    await working();
    await clock.advance(10_001);
    await failTimes(5);
    expect(breaker.retryAfterMs).toBe(1_000);
  });

  it('lets a single probe through at a time', async () => {
    await failTimes(5);
    await clock.advance(1_000);
    const probe = breaker.tryPass();
    expect(probe).not.toBeNull();
    expect(breaker.tryPass()).toBeNull();
    expect(breaker.retryAfterMs).toBe(30_000);
    probe?.abandoned();
    expect(breaker.retryAfterMs).toBe(0);
    const next = breaker.tryPass();
    expect(next).not.toBeNull();
    probe?.succeeded();
    expect(breaker.state).toBe('half_open');
    next?.succeeded();
    expect(breaker.state).toBe('closed');
  });

  it('takes a probe that does not come back for a failed one, whatever it says later', async () => {
    await failTimes(5);
    await clock.advance(1_000);
    const hung = breaker.tryPass();
    await clock.advance(30_000);
    expect(breaker.tryPass()).toBeNull();
    expect(breaker.retryAfterMs).toBe(2_000);
    hung?.succeeded();
    expect(breaker.state).toBe('open');
  });

  it('believes nothing that began before it opened', async () => {
    const late = breaker.tryPass();
    await failTimes(5);
    late?.succeeded();
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    breaker.tryPass()?.succeeded();
    for (let failure = 0; failure < 10; failure++) late?.failed();
    expect(breaker.state).toBe('closed');
  });

  it('does not care about the wall clock', async () => {
    await failTimes(5);
    clock.jumpWallClock(86_400_000);
    expect(breaker.retryAfterMs).toBe(1_000);
    clock.jumpWallClock(-2 * 86_400_000);
    await clock.advance(1_000);
    expect(await working()).toBe('up');
  });
});

describe('run', () => {
  it('rejects at once when its signal aborts, and learns nothing from it', async () => {
    for (let call = 0; call < 10; call++) {
      const controller = new AbortController();
      const hanging = breaker.run(() => new Promise<never>(() => {}), { signal: controller.signal });
      controller.abort(new Error('no longer wanted'));
      await expect(hanging).rejects.toThrow('no longer wanted');
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    }
    expect(breaker.state).toBe('closed');
    const aborted = AbortSignal.abort(new Error('before'));
    await expect(breaker.run(() => 1, { signal: aborted })).rejects.toThrow('before');
  });

  it('hands the probe on when it was called off', async () => {
    await failTimes(5);
    await clock.advance(1_000);
    const controller = new AbortController();
    const probe = breaker.run(() => new Promise<never>(() => {}), { signal: controller.signal });
    controller.abort(new Error('off'));
    await expect(probe).rejects.toThrow('off');
    expect(await working()).toBe('up');
    expect(breaker.state).toBe('closed');
  });

  it('leaves no listener behind when the work ends', async () => {
    const { signal } = new AbortController();
    expect(await breaker.run((handed) => handed === signal, { signal })).toBe(true);
    await expect(
      breaker.run(
        () => {
          throw new Error('at once');
        },
        { signal },
      ),
    ).rejects.toThrow('at once');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('asks which errors count', async () => {
    const picky = new CircuitBreaker({ clock, isFailure: (error) => (error as Error).message !== 'bad request' });
    for (let call = 0; call < 9; call++) {
      await expect(picky.run(() => Promise.reject(new Error('bad request')))).rejects.toThrow('bad request');
    }
    expect(picky.state).toBe('closed');
    const broken = new CircuitBreaker({
      clock,
      isFailure: () => {
        throw new Error('broken');
      },
    });
    for (let call = 0; call < 5; call++) {
      await expect(broken.run(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    }
    expect(broken.state).toBe('open');
  });
});

it.each([
  { failures: 0 },
  { failures: 1.5 },
  { failures: Number.NaN },
  { withinMs: -1 },
  { firstPauseMs: Number.NaN },
  { firstPauseMs: 100, longestPauseMs: 99 },
  { probeTimeoutMs: Number.POSITIVE_INFINITY },
])('refuses %j', (options) => {
  expect(() => new CircuitBreaker(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});

it('opens only after enough failures in a row, never lets two probes out at once, and always comes back', async () => {
  const step = fc.oneof(
    fc.constant({ kind: 'succeed' as const }),
    fc.constant({ kind: 'fail' as const }),
    fc.nat(3_000).map((ms) => ({ kind: 'wait' as const, ms })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const time = new ManualClock();
      const circuit = new CircuitBreaker({ clock: time, failures: 3, withinMs: 5_000 });
      let inRow = 0;
      for (const each of steps) {
        if (each.kind === 'wait') {
          await time.advance(each.ms);
          continue;
        }
        const before = circuit.state;
        const pass = circuit.tryPass();
        if (pass === null) {
          expect(before).not.toBe('closed');
          expect(circuit.retryAfterMs).toBeGreaterThan(0);
          continue;
        }
        if (circuit.state === 'half_open') expect(circuit.tryPass()).toBeNull();
        if (each.kind === 'succeed') {
          pass.succeeded();
          inRow = 0;
          expect(circuit.state).toBe('closed');
        } else {
          pass.failed();
          inRow++;
          if (circuit.state === 'open' && before === 'closed') expect(inRow).toBeGreaterThanOrEqual(3);
        }
      }
      await time.advance(30_000);
      circuit.tryPass()?.succeeded();
      expect(circuit.state).toBe('closed');
    }),
  );
});
