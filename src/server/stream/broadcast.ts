/**
 * The live stream: readings and events to everyone who listens.
 *
 * Works only while somebody does. Readings are looked up (so a busy node is not pushed by its own sensors) at the sensors'
 * cadence but four times a second at most, made into text once for all, and sent when there is a new one; events are sent as they happen.
 */
import type { Clock } from '../../base/clock.ts';
import { TenureError } from '../../base/errors.ts';
import { RequestRefusedError } from '../refusal.ts';
import type { ServedNode } from '../served-node.ts';
import { toldEvent } from '../told-event.ts';
import { StreamClient } from './stream-client.ts';

const MIN_INTERVAL_MS = 250;
const HEARTBEAT_MS = 15_000;
/** What a browser waits before it connects again. */
const RETRY_MS = 2000;
const CLIENT_LIMIT = 64;

export class Broadcast {
  readonly #node: ServedNode;
  readonly #clock: Clock;
  readonly #clients = new Set<StreamClient>();
  #work: Disposable[] = [];
  #lastAtMs = Number.NaN;
  #closed = false;

  constructor(options: { node: ServedNode; clock: Clock }) {
    this.#node = options.node;
    this.#clock = options.clock;
  }

  /** Clients that are listening. */
  get size(): number {
    return this.#clients.size;
  }

  /**
   * A new client's bytes.
   *
   * @throws RequestRefusedError `TOO_MANY_STREAMS`
   */
  open(): ReadableStream<Uint8Array> {
    if (this.#clients.size >= CLIENT_LIMIT) {
      throw new RequestRefusedError('TOO_MANY_STREAMS', `${CLIENT_LIMIT} clients are listening already. Close one.`, {
        details: { limit: CLIENT_LIMIT },
      });
    }
    const handlers = {
      onBegin: (client: StreamClient) => this.#begin(client),
      onEnd: (client: StreamClient) => this.#leave(client),
    };
    return new StreamClient(`retry: ${RETRY_MS}\n\n`, handlers).body;
  }

  /** Ends every stream, now and later. */
  close(): void {
    this.#closed = true;
    for (const client of this.#clients) client.end();
    this.#clients.clear();
    this.#rest();
  }

  #begin(client: StreamClient): void {
    if (this.#closed) {
      client.end();
      return;
    }
    this.#clients.add(client);
    if (this.#clients.size === 1) this.#start();
    const moment = this.#moment();
    if (moment) client.offerReading(moment.data);
  }

  #leave(client: StreamClient): void {
    if (this.#clients.delete(client) && this.#clients.size === 0) this.#rest();
  }

  #start(): void {
    const intervalMs = Math.max(MIN_INTERVAL_MS, this.#node.configuration.monitoring.sensorIntervalMs);
    this.#work = [
      this.#clock.every(intervalMs, () => this.#sendReading()),
      this.#clock.every(HEARTBEAT_MS, () => this.#each((client) => client.beat())),
      this.#node.events.subscribe((event) => {
        const data = JSON.stringify(toldEvent(event));
        this.#each((client) => client.offerEvent(data));
      }),
    ];
  }

  #rest(): void {
    for (const work of this.#work) work[Symbol.dispose]();
    this.#work = [];
  }

  #sendReading(): void {
    const moment = this.#moment();
    if (!moment || moment.atMs === this.#lastAtMs) return;
    this.#lastAtMs = moment.atMs;
    this.#each((client) => client.offerReading(moment.data));
  }

  /** The state now; undefined when the node has closed, which ends the streams. */
  #moment(): { atMs: number; data: string } | undefined {
    try {
      const { reading, assessment } = this.#node.monitor.status();
      const budget = this.#node.budget.snapshot();
      return { atMs: reading.atMs, data: JSON.stringify({ reading, pressure: assessment, budget }) };
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      this.close();
      return undefined;
    }
  }

  #each(act: (client: StreamClient) => void): void {
    for (const client of this.#clients) act(client);
  }
}
