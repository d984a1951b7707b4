import { describe, expect, it } from 'vitest';
import type { Clock } from './clock.ts';
import { type Connection, Stream } from './stream.ts';

/** An `EventSource` moved by hand. */
class FakeSource extends EventTarget {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }

  tell(name: string, data: unknown = {}): void {
    this.dispatchEvent(Object.assign(new Event(name), { data: JSON.stringify(data) }));
  }
}

class HandClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Map<() => void, number>();

  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const due = () => callback();
    this.#timers.set(due, this.#nowMs + delayMs);
    return () => this.#timers.delete(due);
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
    for (const [due, atMs] of [...this.#timers]) {
      if (atMs > this.#nowMs) continue;
      this.#timers.delete(due);
      due();
    }
  }
}

function setUp() {
  const clock = new HandClock();
  const sources: FakeSource[] = [];
  const connections: Connection[] = [];
  const readings: unknown[] = [];
  const events: unknown[] = [];
  const stream = new Stream({
    clock,
    onConnection: (connection) => connections.push(connection),
    onReading: (reading) => readings.push(reading),
    onEvent: (event) => events.push(event),
    open: () => {
      const source = new FakeSource();
      sources.push(source);
      return source as unknown as EventSource;
    },
    random: () => 0.5,
  });
  const source = () => sources.at(-1)!;
  const connect = () => {
    source().tell('open');
    source().tell('reading');
  };
  return { clock, sources, source, connect, connections, readings, events, stream, state: () => connections.at(-1) };
}

describe('Stream', () => {
  it('passes on what comes', () => {
    const { stream, source, readings, events, state } = setUp();
    stream.resume();
    expect(state()).toEqual({ state: 'connecting', lostSinceMs: null });
    source().tell('open');
    expect(state()).toEqual({ state: 'live' });
    source().tell('reading', { reading: 1 });
    source().tell('event', { type: 'a.b' });
    expect([readings, events]).toEqual([[{ reading: 1 }], [{ type: 'a.b' }]]);
  });

  it('waits longer after each failure, and remembers since when it was lost', () => {
    const { clock, stream, source, sources, state, connect } = setUp();
    stream.resume();
    connect();
    const waitsMs = Array.from({ length: 7 }, () => {
      source().tell('error');
      const waiting = state();
      if (waiting?.state !== 'waiting') throw new Error(`${waiting?.state}`);
      const waitMs = waiting.retryAtMs - clock.nowMs();
      clock.advance(waitMs);
      expect(state()).toEqual({ state: 'connecting', lostSinceMs: 0 });
      return waitMs;
    });
    expect(waitsMs).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    expect(sources.slice(0, -1).every(({ isClosed }) => isClosed)).toBe(true);
  });

  it('starts its waits over after a reading, not after a connection alone', () => {
    const { clock, stream, source, state, connect } = setUp();
    const waitMs = () => {
      source().tell('error');
      const waiting = state();
      const ms = waiting?.state === 'waiting' ? waiting.retryAtMs - clock.nowMs() : 0;
      clock.advance(ms);
      return ms;
    };
    stream.resume();
    expect(waitMs()).toBe(1000);
    source().tell('open');
    expect(waitMs()).toBe(2000);
    connect();
    expect(waitMs()).toBe(1000);
  });

  it('takes a connection that stays silent for lost', () => {
    const { clock, stream, source, state, connect } = setUp();
    stream.resume();
    connect();
    clock.advance(29_000);
    source().tell('reading');
    clock.advance(29_000);
    expect(state()).toEqual({ state: 'live' });
    clock.advance(1000);
    expect(state()).toMatchObject({ state: 'waiting', lostSinceMs: 59_000 });
  });

  it('tries at once when asked to, once', () => {
    const { stream, source, sources, connect, clock } = setUp();
    stream.resume();
    connect();
    source().tell('error');
    stream.resume();
    stream.resume();
    clock.advance(1000);
    expect(sources).toHaveLength(2);
  });

  it('is still while paused', () => {
    const { clock, stream, source, sources, state, connect } = setUp();
    stream.resume();
    connect();
    stream.pause();
    expect(source().isClosed).toBe(true);
    expect(clock.pending).toBe(0);
    expect(state()).toEqual({ state: 'paused' });
    stream.resume();
    expect(state()).toEqual({ state: 'connecting', lostSinceMs: null });
    expect(sources).toHaveLength(2);
  });
});
