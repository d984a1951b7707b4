/**
 * Outgoing HTTP connections as a holder: bounded, kept alive, and the free ones closed first when memory is short.
 *
 * Requests are made as ever, with `agent: pool.http`, `agent: pool.https`, or undici's `dispatcher`; who borrows which socket stays the agents'
 * affair. What this adds is the budget, one limit for all of them, and figures like those of every other pool.
 */

import type { AgentOptions, Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { checkedDelay } from '../../base/clock.ts';
import { InvalidArgumentError } from '../../base/errors.ts';
import { DESTROY_CAUSES, type DestroyCause } from '../../holders/pool/pool-events.ts';
import { checkedSize, type PoolSettings } from '../../holders/pool/pool-options.ts';
import type { PoolStatistics } from '../../holders/pool/pool-statistics.ts';
import { httpAgent, httpsAgent } from './http-agents.ts';
import { SocketBooks } from './socket-books.ts';
import { type UndiciAgentOptions, type UndiciModule, undiciAgent } from './undici-agent.ts';

/** Buffers and state of one connection in this process, as estimated; a TLS session takes about as much again. */
const SOCKET_BYTES = 65_536;

/** What an `HttpPool` is made of. */
export interface HttpPoolOptions extends Pick<PoolSettings, 'budget' | 'where' | 'priority'> {
  /** `http` by default. */
  readonly name?: string;
  /** Connections of each agent, at most, all hosts together; with undici to each host. 100 by default. */
  readonly max?: number;
  /** How long a free connection is kept; 15,000 ms by default. */
  readonly idleTimeoutMs?: number;
  /** How long opening one may wait for the budget; 30,000 ms by default. */
  readonly acquireTimeoutMs?: number;
  /** What one connection takes, as the budget is charged; 65,536 by default. */
  readonly bytesPerSocket?: number;
  /** More for Node's agents: certificates, `scheduling`, `localAddress` and what else they take. */
  readonly agent?: AgentOptions;
}

/**
 * Agents under one budget.
 *
 * @example
 * await using outgoing = new HttpPool({ budget });
 * https.get('https://example.com', { agent: outgoing.https }, (response) => response.resume());
 */
export class HttpPool implements AsyncDisposable {
  readonly name: string;
  /** For `http.request({ agent })`. */
  readonly http: HttpAgent;
  /** For `https.request({ agent })`. */
  readonly https: HttpsAgent;
  readonly #books: SocketBooks;
  readonly #idleTimeoutMs: number;
  readonly #stops: (() => void)[] = [];
  readonly #undici: { close?: () => unknown; destroy?: () => unknown }[] = [];
  #max: number;
  #closed: Promise<void> | undefined;

  /**
   * Makes the agents; connections are opened by the requests made with them.
   *
   * @throws InvalidArgumentError for an option outside its range; what `Budget.register` throws.
   */
  constructor(options: HttpPoolOptions = {}) {
    const { name = 'http', bytesPerSocket = SOCKET_BYTES, idleTimeoutMs = 15_000, acquireTimeoutMs = 30_000 } = options;
    const { budget, where = 'native', priority = 7 } = options;
    if (!(Number.isSafeInteger(bytesPerSocket) && bytesPerSocket >= 0)) {
      throw new InvalidArgumentError(
        'bytesPerSocket',
        `must be a whole number of bytes; got ${String(bytesPerSocket)}.`,
      );
    }
    this.name = name;
    this.#max = checkedSize(0, options.max ?? 100).max;
    this.#idleTimeoutMs = checkedDelay(idleTimeoutMs, 'idleTimeoutMs');
    const holder = budget === undefined ? null : { budget, name, where, priority };
    this.#books = new SocketBooks({
      name,
      holder,
      bytesPerSocket,
      waitMs: checkedDelay(acquireTimeoutMs, 'acquireTimeoutMs'),
    });
    const limits = { keepAlive: true, maxSockets: this.#max, maxTotalSockets: this.#max, maxFreeSockets: this.#max };
    const agentOptions = { scheduling: 'lifo', timeout: this.#idleTimeoutMs, ...options.agent, ...limits } as const;
    this.http = httpAgent(this.#books, agentOptions);
    this.https = httpsAgent(this.#books, agentOptions);
  }

  /** True from the moment `close` was called. */
  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /**
   * An undici `Agent` in the same books, for `fetch(url, { dispatcher })` and `request(url, { dispatcher })`. It is closed with the pool.
   *
   * @example
   * import * as undici from 'undici';
   * const dispatcher = outgoing.undici(undici);
   */
  undici<A>(module: UndiciModule<A>, options: UndiciAgentOptions = {}): A {
    if (typeof module?.Agent !== 'function' || typeof module.buildConnector !== 'function') {
      throw new InvalidArgumentError('module', 'must be undici: import * as undici from "undici".');
    }
    const defaults = { connections: this.#max, keepAliveTimeout: Math.max(1, this.#idleTimeoutMs) };
    const { agent, stop } = undiciAgent(module, { books: this.#books, options: { ...defaults, ...options } });
    this.#stops.push(stop);
    this.#undici.push(agent as { destroy?: () => unknown });
    return agent;
  }

  /** How the connections are: borrowed ones carry a request, idle ones are free, waiting are requests that no connection is open for. */
  statistics(): PoolStatistics {
    const { size, free, opening, usedBytes, opened, borrows, failures, timeouts, closedForBudget } = this.#books;
    const closed = Math.max(0, opened - size);
    const destroyed = Object.fromEntries(DESTROY_CAUSES.map((cause) => [cause, 0])) as Record<DestroyCause, number>;
    return {
      ...{ name: this.name, min: 0, max: this.#max, size, borrowed: size - free, idle: free, creating: opening },
      ...{ waiting: waitingFor(this.http) + waitingFor(this.https), bytes: usedBytes, created: opened, borrows },
      destroyed: { ...destroyed, reclaim: closedForBudget, idle: Math.max(0, closed - closedForBudget) },
      ...{ timeouts, refusals: 0, createErrors: failures, checkErrors: 0, destroyErrors: 0 },
      ...{ heldTooLong: 0, abandoned: 0, returnedTwice: 0, waitMs: { p50: 0, p99: 0 } },
    };
  }

  /** Closes every connection, those that carry a request too; resolves when they are closed. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.http.destroy();
    this.https.destroy();
    await Promise.allSettled(this.#undici.map((agent) => agent.destroy?.()));
    await this.#books.close();
    for (const stop of this.#stops) stop();
  }
}

function waitingFor(agent: HttpAgent): number {
  return Object.values(agent.requests).reduce((sum, requests) => sum + (requests?.length ?? 0), 0);
}
