import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, it, vi } from 'vitest';
import { EventHub, guardedSink, type TenureEventBase } from './events.ts';

interface Ping extends TenureEventBase {
  readonly type: 'test.ping';
  readonly count: number;
}

const ping = (count: number): Ping => ({ type: 'test.ping', atMs: 0, count });

describe('a guarded sink', () => {
  it('turns what is thrown into a warning', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const emit = guardedSink<Ping>(() => {
      throw new Error('no');
    });
    emit(ping(1));
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/test\.ping.*no/));
    guardedSink<Ping>(undefined)(ping(2));
  });
});

describe('EventHub', () => {
  it('delivers in order until a subscription ends', () => {
    const hub = new EventHub<Ping>({ onSubscriberError: () => {} });
    const seen: string[] = [];
    const first = hub.subscribe(({ count }) => void seen.push(`first ${count}`));
    hub.subscribe(({ count }) => void seen.push(`second ${count}`));
    hub.emit(ping(1));
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    hub.emit(ping(2));
    expect(seen).toEqual(['first 1', 'second 1', 'second 2']);
    expect(hub.subscriberCount).toBe(1);
  });

  it('reports a subscriber that throws and goes on to the next', () => {
    const errors: unknown[] = [];
    const hub = new EventHub<Ping>({ onSubscriberError: (error) => errors.push(error) });
    let reached = 0;
    hub.subscribe(() => {
      throw new Error('broken');
    });
    hub.subscribe(() => reached++);
    hub.emit(ping(1));
    expect(reached).toBe(1);
    expect(errors).toEqual([new Error('broken')]);
  });

  it('can be left by a subscriber while it delivers', () => {
    const hub = new EventHub<Ping>({ onSubscriberError: () => {} });
    let seen = 0;
    const own = hub.subscribe(() => {
      seen++;
      own[Symbol.dispose]();
    });
    hub.emit(ping(1));
    hub.emit(ping(2));
    expect(seen).toBe(1);
  });

  it('publishes on the diagnostics channel of the type', () => {
    const hub = new EventHub<Ping>({ onSubscriberError: () => {} });
    const seen: unknown[] = [];
    const listener = (message: unknown) => void seen.push(message);
    subscribe('tenure:test.ping', listener);
    hub.emit(ping(3));
    unsubscribe('tenure:test.ping', listener);
    hub.emit(ping(4));
    expect(seen).toEqual([ping(3)]);
  });
});
