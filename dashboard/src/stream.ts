/**
 * The live connection: an `EventSource` that knows when it is lost.
 *
 *   paused ──resume──▶ connecting ──open──▶ live
 *     ▲                   ▲   │ refused,      │ broken, or silent for 30 s
 *     │pause              │   ▼               ▼
 *     └───(any)        retry, or the wait is over ◀── waiting (1 s, 2 s, 4 s … 15 s, with jitter)
 *
 * The browser's own reconnecting is not used: it gives up for good on an HTTP error, says nothing about when it will try again,
 * and does not notice a connection that stays open but silent. The wait starts over only after a reading has arrived, so a
 * server that accepts and dies at once is not hammered.
 */
import type { Clock } from './clock.ts';
import type { Moment, NodeEvent } from './wire.ts';

export type Connection =
  | { readonly state: 'paused' }
  | { readonly state: 'live' }
  /** `lostSinceMs` is null until there was a connection to lose. */
  | { readonly state: 'connecting'; readonly lostSinceMs: number | null }
  | { readonly state: 'waiting'; readonly lostSinceMs: number; readonly retryAtMs: number };

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
/** Twice the server's heartbeat, and longer than any cadence of readings it is meant to be set to. */
const SILENCE_MS = 30_000;

export interface StreamOptions {
  readonly clock: Clock;
  readonly onConnection: (connection: Connection) => void;
  readonly onReading: (reading: Moment) => void;
  readonly onEvent: (event: NodeEvent) => void;
  /** Opens the source; replaced in tests. */
  readonly open?: () => EventSource;
  /** Spreads the retries of many pages; 0 to 1. */
  readonly random?: () => number;
}

export class Stream {
  readonly #options: Required<StreamOptions>;
  #source: EventSource | undefined;
  #cancelTimer = () => {};
  #attempts = 0;
  #lostSinceMs: number | null = null;

  constructor(options: StreamOptions) {
    this.#options = { open: () => new EventSource('monitoring/stream'), random: Math.random, ...options };
  }

  /** Connects now; also ends a wait between two attempts. */
  resume(): void {
    if (this.#source) return;
    this.#cancelTimer();
    this.#options.onConnection({ state: 'connecting', lostSinceMs: this.#lostSinceMs });
    const source = this.#options.open();
    this.#source = source;
    source.addEventListener('open', () => {
      this.#lostSinceMs = null;
      this.#options.onConnection({ state: 'live' });
    });
    source.addEventListener('error', () => this.#lose());
    source.addEventListener('reading', (message: MessageEvent<string>) => {
      this.#attempts = 0;
      this.#listen();
      this.#options.onReading(JSON.parse(message.data));
    });
    source.addEventListener('event', (message: MessageEvent<string>) => {
      this.#listen();
      this.#options.onEvent(JSON.parse(message.data));
    });
    this.#listen();
  }

  /** Disconnects until `resume`: nobody is looking. */
  pause(): void {
    this.#disconnect();
    this.#lostSinceMs = null;
    this.#options.onConnection({ state: 'paused' });
  }

  #listen(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.clock.after(SILENCE_MS, () => this.#lose());
  }

  #lose(): void {
    this.#disconnect();
    const nowMs = this.#options.clock.nowMs();
    const waitMs =
      Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts) * (0.8 + 0.4 * this.#options.random());
    this.#attempts += 1;
    this.#lostSinceMs ??= nowMs;
    this.#options.onConnection({ state: 'waiting', lostSinceMs: this.#lostSinceMs, retryAtMs: nowMs + waitMs });
    this.#cancelTimer = this.#options.clock.after(waitMs, () => this.resume());
  }

  #disconnect(): void {
    this.#cancelTimer();
    this.#source?.close();
    this.#source = undefined;
  }
}
