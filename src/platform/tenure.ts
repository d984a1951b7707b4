/**
 * One node, assembled: configuration, budget, sensors, store, agent memory, help agent.
 *
 * This is the room that knows every other below it. It hands each what it needs, closes them in reverse order, and adds no
 * behaviour of its own but the wiring: readings into history, the store's caches into the budget, events to whoever listens.
 */
import { dirname } from 'node:path';
import type { IngestDocument } from '../agent-memory/ingest/document.ts';
import { type IngestOptions, ingest } from '../agent-memory/ingest/ingest.ts';
import type { IngestReport } from '../agent-memory/ingest/report.ts';
import type { LongTermMemory } from '../agent-memory/long-term.ts';
import type { HelpAgent } from '../agents/help/help-agent.ts';
import { MIB } from '../base/bytes.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { ClosedError, InvalidArgumentError, TenureError } from '../base/errors.ts';
import type { EventHub, EventSink } from '../base/events.ts';
import { ResourceScope } from '../base/resource-scope.ts';
import type { Budget } from '../budget/budget.ts';
import type { Quotas } from '../budget/quota.ts';
import type { Cache } from '../holders/cache/cache.ts';
import type { EmbeddingCache } from '../holders/cache/embedding-cache.ts';
import type { ObjectPool } from '../holders/pool/object-pool.ts';
import type { PoolRegistry } from '../holders/pool/pool-registry.ts';
import type { SessionPool } from '../holders/session/session-pool.ts';
import type { StreamOptions } from '../holders/stream/stream-options.ts';
import { Admission } from '../pressure/admission/admission.ts';
import { Monitor } from '../pressure/monitor.ts';
import { machineSensors } from '../pressure/sensors/machine-sensors.ts';
import type { History } from '../storage/reading-store.ts';
import type { Environment } from './configuration/environment-layer.ts';
import type { DeepPartial } from './configuration/key.ts';
import type { Configuration } from './configuration/keys.ts';
import { type LoadOptions, loadConfiguration } from './configuration/load.ts';
import type { LoadedConfiguration } from './configuration/loaded-configuration.ts';
import { ConfigurationWatch } from './configuration/watch.ts';
import type { NodeCacheOptions, NodeEmbeddingOptions, NodePoolOptions, NodeSessionOptions } from './holders.ts';
import { requireKnownOptions } from './known-options.ts';
import { monitorSettings } from './monitor-settings.ts';
import { historyPointOf, type NodeStatus, statusOf } from './node-status.ts';
import { openParts, type Parts } from './parts.ts';
import type { TenureEvent } from './tenure-event.ts';
import { VERSION } from './version.ts';

/** How a node is opened; everything has a default. */
export interface TenureOptions {
  /** Folder of the store; goes over every other way to say it. `.tenure` in the working directory by default. */
  readonly directory?: string | undefined;
  /** Values that go over environment, file and defaults. */
  readonly configuration?: DeepPartial<Configuration> | undefined;
  /** The file to read; it must exist. By default `tenure.yml` in the working directory, where there is one. */
  readonly configurationPath?: string | undefined;
  /** Environment variables; those of the process by default. */
  readonly environment?: Environment | undefined;
  readonly clock?: Clock | undefined;
  /** Told of every event, from the first of opening to the last of closing; `events` begins when the node is open. */
  readonly onEvent?: EventSink<TenureEvent> | undefined;
}

/** Whether a node takes requests, and why not. */
export interface Readiness {
  readonly status: 'ready' | 'starting' | 'closing';
  readonly checks: {
    readonly store: 'ok' | 'failing';
    /** `shedding` while pressure is critical and new work is refused. */
    readonly memory: 'ok' | 'shedding';
  };
}

/** Set aside for admitted work, so that caches that have filled the budget do not make each small request wait. */
const ADMISSION_MIN_BYTES = 4 * MIB;

const OPTIONS: readonly (keyof TenureOptions)[] = [
  ...(['directory', 'configuration', 'configurationPath', 'environment', 'clock', 'onEvent'] as const),
];
/** A running node. Made by `Tenure.open()`, ended by `close()` or `await using`. */
export class Tenure implements AsyncDisposable {
  readonly #parts: Parts;
  #loaded: LoadedConfiguration;
  readonly #monitor: Monitor;
  readonly #admission: Admission;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts, loaded: LoadedConfiguration) {
    this.#parts = parts;
    this.#loaded = loaded;
    this.#monitor = this.#makeMonitor(loaded);
    this.#admission = this.#makeAdmission();
  }

  /**
   * Opens a node: loads the configuration, opens or creates the store, starts the sensors.
   *
   * @example
   * ```ts
   * import { Tenure } from 'tenure';
   *
   * await using tenure = await Tenure.open({ directory: './data' });
   * await tenure.memory.remember('Ann prefers short answers.', { scope: { tenant: 'acme', user: 'ann' } });
   * ```
   * @throws InvalidArgumentError for an option that there is not; ConfigurationError, ConfigurationUnreadableError, and the store's
   * errors; nothing is left open then.
   */
  static async open(options: TenureOptions = {}): Promise<Tenure> {
    requireKnownOptions(options, { call: 'Tenure.open', known: OPTIONS });
    const { clock = systemClock, onEvent } = options;
    // Kept for reloads: they look where the start did, wherever the process has gone since.
    const from = { ...loadOptionsOf(options), workingDirectory: process.cwd() };
    const loaded = await loadConfiguration(from);
    const resources = new ResourceScope('Tenure');
    let tenure: Tenure | undefined;
    // As the configuration in force says, not as the one at the start said.
    const configuration = () => tenure?.configuration ?? loaded.values;
    const level = () => tenure?.monitor.last?.assessment.level ?? 'low';
    try {
      tenure = new Tenure(await openParts({ clock, loaded, resources, onEvent, configuration, level }), loaded);
      tenure.#start(() => loadConfiguration({ ...from, isReload: true }));
      return tenure;
    } catch (error) {
      await resources.close();
      throw error;
    }
  }

  /**
   * The configuration as last loaded; defaults that follow the memory limit stand as they are for 1 GB. Keys marked *restart* in
   * docs/configuration.md take effect at the next start.
   */
  get configuration(): Configuration {
    return this.#loaded.values;
  }

  /** Where values of the configuration came from. */
  get loadedConfiguration(): LoadedConfiguration {
    return this.#loaded;
  }

  /** The sensors' last word. */
  get monitor(): Monitor {
    return this.#monitor;
  }

  get budget(): Budget {
    return this.#parts.budget;
  }

  /** Takes new work, or refuses it and says when to come again. */
  get admission(): Admission {
    return this.#admission;
  }

  /** What a tenant or an agent may hold in caches, sessions and admitted work together. */
  get quotas(): Quotas {
    return this.#parts.holders.quotas;
  }

  /** All pools, ready-made ones among them. */
  get pools(): PoolRegistry {
    return this.#parts.holders.pools;
  }

  /**
   * The cache named `name` under the node's budget: the one there is, or a new one of these options. It closes with the node.
   *
   * @example
   * ```ts
   * import { RESPONSE_CACHE, Tenure } from 'tenure';
   *
   * await using tenure = await Tenure.open({ directory: './data' });
   * const answers = tenure.cache<string, string>('answers', RESPONSE_CACHE);
   * answers.set('When do we deploy?', 'On Mondays.');
   * ```
   * @throws As `new Cache`.
   */
  cache<K, V>(name: string, options: NodeCacheOptions<K, V>): Cache<K, V> {
    return this.#parts.holders.cache(name, options);
  }

  /**
   * The node's cache of embeddings made by `model`: in memory under its budget, behind that in its store. Name several models' caches apart.
   *
   * @throws As `new EmbeddingCache`.
   */
  embeddings(options: NodeEmbeddingOptions): EmbeddingCache {
    return this.#parts.holders.embeddings(options);
  }

  /**
   * The pool named `name` under the node's budget: the one there is, or a new one of these options. `database`, `llm` and `http` are as large
   * as configured unless told otherwise.
   *
   * @throws PoolUnknownError when there is none and no options were given; as `new ObjectPool`.
   */
  pool<T>(name: string, options?: NodePoolOptions<T>): ObjectPool<T> {
    return this.#parts.holders.pool(name, options);
  }

  /**
   * The session pool named `name`, in the node's store and under its budget: the one there is, or a new one of these options. As many in memory
   * and for as long as configured unless told otherwise.
   *
   * @throws As `new SessionPool`.
   */
  sessions<V, I = unknown>(name = 'sessions', options: NodeSessionOptions<V> = {}): SessionPool<V, I> {
    return this.#parts.holders.sessions(name, options);
  }

  /**
   * What a stream under this node takes: `readNdjson(path, { ...tenure.streaming })` reads within the node's budget and the configured
   * bound.
   */
  get streaming(): Required<Pick<StreamOptions, 'budget' | 'limitBytes' | 'clock'>> {
    const { budget, clock } = this.#parts;
    return { budget, clock, limitBytes: this.configuration.streaming.limitBytes };
  }

  get memory(): LongTermMemory {
    return this.#parts.memory;
  }

  get help(): HelpAgent {
    return this.#parts.help;
  }

  get events(): EventHub<TenureEvent> {
    return this.#parts.events;
  }

  /** Absolute paths in use; `configuration` is null where no file was read. */
  get paths(): { readonly directory: string; readonly store: string; readonly configuration: string | null } {
    const store = this.#parts.database.path;
    return { directory: dirname(store), store, configuration: this.#loaded.path };
  }

  /** The state of the node in one object. */
  status(): NodeStatus {
    this.#requireOpen();
    const { budget, database, memory, holders, startedAtMs } = this.#parts;
    return statusOf({
      monitor: this.#monitor.status(),
      budget: budget.snapshot(),
      holders: holders.report(),
      admission: this.#admission.statistics(),
      store: { path: database.path, sizeBytes: database.sizeBytes(), ...memory.statistics() },
      startedAtMs,
    });
  }

  /** Whether requests should come here: whether the store answers and keeps what is written, and whether work is refused. */
  readiness(): Readiness {
    const store = !this.#closing && this.#storeWorks() ? 'ok' : 'failing';
    const memory = this.#monitor.shedding ? 'shedding' : 'ok';
    const status = this.#closing ? 'closing' : store === 'ok' ? 'ready' : 'starting';
    return { status, checks: { store, memory } };
  }

  #storeWorks(): boolean {
    try {
      this.#parts.memory.statistics();
      return this.#parts.database.failure === undefined;
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      return false;
    }
  }

  /**
   * Stored readings of a range, as about `points` (600 by default) means; see `HistoryRange`.
   *
   * @throws InvalidArgumentError when the range has no beginning or end, or `points` is no number.
   */
  async history(range: { fromMs: number; toMs: number; points?: number }): Promise<History> {
    this.#requireOpen();
    const { fromMs, toMs, points = 600 } = range ?? {};
    for (const [argument, value] of Object.entries({ fromMs, toMs, points })) {
      if (!Number.isFinite(value)) throw new InvalidArgumentError(argument, 'must be a finite number.');
    }
    return this.#parts.readings.range({ fromMs, toMs, maxPoints: Math.max(2, points) });
  }

  /** The last events, newest first, 500 at most. */
  recentEvents(limit: number): readonly TenureEvent[] {
    return this.#parts.recent.newest(limit);
  }

  /** Takes in documents; see `ingest`. */
  ingest(
    documents: AsyncIterable<IngestDocument> | Iterable<IngestDocument>,
    options: Omit<IngestOptions, 'clock'>,
  ): Promise<IngestReport> {
    this.#requireOpen();
    return ingest(this.#parts.memory, documents, { ...options, clock: this.#parts.clock });
  }

  /** Stops the sensors, writes what is counted, closes the store. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#parts.resources.close();
  }

  #start(load: () => Promise<LoadedConfiguration>): void {
    const { clock, events, resources, startedAtMs } = this.#parts;
    resources.use(this.#monitor);
    this.#monitor.start();
    resources.use(
      new ConfigurationWatch({
        current: this.#loaded,
        load,
        clock,
        apply: (loaded) => this.#apply(loaded),
        onEvent: events.emit,
      }),
    );
    const { directory, store } = this.paths;
    events.emit({ type: 'platform.opened', atMs: startedAtMs, version: VERSION, directory, store });
  }

  /** Puts a new configuration in force. */
  #apply(loaded: LoadedConfiguration): void {
    this.#loaded = loaded;
    this.#monitor.reconfigure(monitorSettings(loaded));
    this.#parts.holders.reconfigure();
  }

  #makeAdmission(): Admission {
    const { budget, clock, events, holders, resources } = this.#parts;
    return resources.use(
      new Admission({
        ...{ budget, clock, pressure: this.#monitor, quota: holders.quotas, events: events.emit },
        observeOnly: () => this.configuration.monitoring.observeOnly,
        minBytes: Math.min(ADMISSION_MIN_BYTES, Math.floor(budget.limitBytes / 64)),
      }),
    );
  }

  #makeMonitor(loaded: LoadedConfiguration): Monitor {
    const { clock, events, budget, gate, readings } = this.#parts;
    const monitor: Monitor = new Monitor({
      clock,
      events: events.emit,
      sensors: machineSensors({ clock }),
      budget,
      gate,
      settings: monitorSettings(loaded),
      hooks: { stored: () => readings.append(historyPointOf(monitor.status(), budget.reservedBytes)) },
    });
    return monitor;
  }

  #requireOpen(): void {
    if (this.#closing) throw new ClosedError('Tenure');
  }
}

/** What a node opened with `options` is configured by. */
export function loadOptionsOf(options: TenureOptions): LoadOptions {
  const { configuration = {}, directory, configurationPath: path, environment } = options;
  const overrides =
    directory === undefined ? configuration : { ...configuration, store: { ...configuration.store, directory } };
  return { path, environment, overrides };
}
