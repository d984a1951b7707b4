/**
 * One emit per outcome.
 *
 * A room tells what happened once, through the `EventSink` it was given. `EventHub` passes each event on to its
 * subscribers (log lines, history, metrics, server-sent events) and to `diagnostics_channel`, where tools that know
 * nothing of Tenure can listen on `tenure:<type>`. A subscriber that throws is reported once through `onSubscriberError`
 * and does not disturb the others or the room that emitted.
 */
import { channel } from 'node:diagnostics_channel';
import { messageOf } from './errors.ts';

/** What every event has: a dotted stable name and the wall time it happened. */
export interface TenureEventBase {
  readonly type: string;
  readonly atMs: number;
}

export type EventSink<E extends TenureEventBase> = (event: E) => void;

/**
 * `emit` made safe to call in the midst of work: what it throws becomes a warning of the process and disturbs nobody. Nothing at all for
 * none.
 */
export function guardedSink<E extends TenureEventBase>(emit: EventSink<E> | undefined): EventSink<E> {
  if (emit === undefined) return () => {};
  return (event) => {
    try {
      emit(event);
    } catch (error) {
      process.emitWarning(`what was told of ${event.type} threw: ${messageOf(error)}`);
    }
  };
}

type Subscriber<E> = (event: E) => void;

/** Passes each event on to its subscribers and to `diagnostics_channel`. */
export class EventHub<E extends TenureEventBase> {
  readonly #subscribers = new Set<Subscriber<E>>();
  readonly #onSubscriberError: (error: unknown, event: E) => void;

  constructor(options: { onSubscriberError: (error: unknown, event: E) => void }) {
    this.#onSubscriberError = options.onSubscriberError;
  }

  /** Delivers `event` to every subscriber, synchronously and in order of subscription. A property, so it can be handed on. */
  readonly emit: EventSink<E> = (event) => {
    const diagnostics = channel(`tenure:${event.type}`);
    if (diagnostics.hasSubscribers) diagnostics.publish(event);
    for (const subscriber of [...this.#subscribers]) {
      try {
        subscriber(event);
      } catch (error) {
        this.#onSubscriberError(error, event);
      }
    }
  };

  /** Calls `subscriber` for every event from now on, until the returned handle is disposed. */
  subscribe(subscriber: Subscriber<E>): Disposable {
    this.#subscribers.add(subscriber);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }
}
