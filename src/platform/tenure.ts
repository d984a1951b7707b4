/**
 * One node, assembled: configuration, budget, sensors, store, agent memory, help agent.
 *
 * This is the room that knows every other below it. It hands each what it needs, closes them in reverse order, and adds no
 * behaviour of its own but the wiring: readings into history, the store's caches into the budget, events to whoever listens.
 */
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { IngestDocument } from '../agent-memory/ingest/document.ts';
import { type IngestOptions, ingest } from '../agent-memory/ingest/ingest.ts';
import type { IngestReport } from '../agent-memory/ingest/report.ts';
import { LongTermMemory } from '../agent-memory/long-term.ts';
import { HelpAgent } from '../agents/help/help-agent.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { ClosedError, messageOf, TenureError } from '../base/errors.ts';
import { EventHub } from '../base/events.ts';
import { seededRandom } from '../base/random.ts';
import { ResourceScope } from '../base/resource-scope.ts';
import { Budget } from '../budget/budget.ts';
import { CollectionGate } from '../pressure/collection-gate.ts';
import { Monitor, type MonitorSettings } from '../pressure/monitor.ts';
import { machineSensors } from '../pressure/sensors/machine-sensors.ts';
import type { History } from '../storage/reading-store.ts';
import { SqliteDatabase } from '../storage/sqlite/connection.ts';
import { SqliteMemoryStore } from '../storage/sqlite/memory-store.ts';
import { SqliteReadingStore } from '../storage/sqlite/reading-store.ts';
import type { Environment } from './configuration/environment-layer.ts';
import type { DeepPartial } from './configuration/key.ts';
import type { Configuration } from './configuration/keys.ts';
import { type LoadOptions, loadConfiguration } from './configuration/load.ts';
import type { LoadedConfiguration } from './configuration/loaded-configuration.ts';
import { ConfigurationWatch } from './configuration/watch.ts';
import { hideFromGit } from './hide-from-git.ts';
import { historyPointOf, type NodeStatus, statusOf } from './node-status.ts';
import { PageCacheConsumer } from './page-cache.ts';
import { registerRecallCache } from './recall-cache.ts';
import { RecentEvents } from './recent-events.ts';
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
}

/** Whether a node takes requests, and why not. */
export interface Readiness {
  readonly status: 'ready' | 'starting' | 'closing';
  readonly checks: { readonly store: 'ok' | 'failing' };
}

const STORE_FILE = 'tenure.db';
/** Whose readings the history of this store is; one node a folder. */
const NODE = 'local';
const RECENT_EVENTS = 500;
/** A process that never runs for an hour still compacts; one that just starts has better things to do. */
const COMPACT_FIRST_MS = 60_000;
const COMPACT_EVERY_MS = 3_600_000;
const REGROW_EVERY_MS = 30_000;

/** What one node is made of, as far as it is open. */
interface Parts {
  readonly clock: Clock;
  readonly resources: ResourceScope;
  readonly events: EventHub<TenureEvent>;
  readonly recent: RecentEvents<TenureEvent>;
  readonly budget: Budget;
  readonly gate: CollectionGate;
  readonly database: SqliteDatabase;
  readonly readings: SqliteReadingStore;
  readonly memory: LongTermMemory;
  readonly help: HelpAgent;
  readonly startedAtMs: number;
}

/** A running node. Made by `Tenure.open()`, ended by `close()` or `await using`. */
export class Tenure implements AsyncDisposable {
  readonly #parts: Parts;
  #loaded: LoadedConfiguration;
  readonly #monitor: Monitor;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts, loaded: LoadedConfiguration) {
    this.#parts = parts;
    this.#loaded = loaded;
    this.#monitor = this.#makeMonitor(loaded);
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
   * @throws ConfigurationError, ConfigurationUnreadableError, and the store's errors; nothing is left open then.
   */
  static async open(options: TenureOptions = {}): Promise<Tenure> {
    const { clock = systemClock } = options;
    const load = () => loadConfiguration(loadOptionsOf(options));
    const loaded = await load();
    const resources = new ResourceScope('Tenure');
    try {
      const tenure = new Tenure(await openParts({ clock, loaded, resources }), loaded);
      tenure.#start(load);
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
    const { budget, database, memory, startedAtMs } = this.#parts;
    return statusOf({
      monitor: this.#monitor.status(),
      budget: budget.snapshot(),
      store: { path: database.path, sizeBytes: database.sizeBytes(), ...memory.statistics() },
      startedAtMs,
    });
  }

  /** Whether requests should come here, and whether the store answers and keeps what is written. */
  readiness(): Readiness {
    if (this.#closing) return { status: 'closing', checks: { store: 'failing' } };
    try {
      if (this.#parts.database.failure) throw this.#parts.database.failure;
      this.#parts.memory.statistics();
      return { status: 'ready', checks: { store: 'ok' } };
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      return { status: 'starting', checks: { store: 'failing' } };
    }
  }

  /** Stored readings of a range, as about `points` (600 by default) means; see `HistoryRange`. */
  history(range: { fromMs: number; toMs: number; points?: number }): Promise<History> {
    this.#requireOpen();
    const { fromMs, toMs, points = 600 } = range;
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

/** What the configuration says about monitoring. */
function monitorSettings(loaded: LoadedConfiguration): MonitorSettings {
  const { monitoring, limits } = loaded.values;
  return {
    configuredLimitBytes: limits.memoryBytes === 'auto' ? undefined : limits.memoryBytes,
    thresholdsFor: (limitBytes) => {
      const scaled = loaded.scaledTo(limitBytes);
      return {
        ...scaled.alerts,
        warningBytes: scaled.limits.warningBytes,
        criticalBytes: scaled.limits.criticalBytes,
      };
    },
    collectAboveBytes: limits.gcPressureEnabled
      ? (limitBytes) => loaded.scaledTo(limitBytes).limits.gcPressureBytes
      : undefined,
    observeOnly: monitoring.observeOnly,
    sensorIntervalMs: monitoring.sensorIntervalMs,
    storedIntervalMs: monitoring.storedIntervalMs,
    optimizationIntervalMs: monitoring.optimizationIntervalMs,
    predictionIntervalMs: monitoring.predictionIntervalMs,
  };
}

function loadOptionsOf(options: TenureOptions): LoadOptions {
  const { configuration = {}, directory, configurationPath: path, environment } = options;
  const overrides =
    directory === undefined ? configuration : { ...configuration, store: { ...configuration.store, directory } };
  return { path, environment, overrides };
}

/** Opens everything but the monitor, in the order it depends on each other; `resources` closes it in reverse. */
async function openParts(from: {
  clock: Clock;
  loaded: LoadedConfiguration;
  resources: ResourceScope;
}): Promise<Parts> {
  const { clock, loaded, resources } = from;
  const { limits, store } = loaded.values;
  const startedAtMs = clock.nowMs();
  const recent = new RecentEvents<TenureEvent>(RECENT_EVENTS);
  const events = new EventHub<TenureEvent>({
    onSubscriberError: (error, event) =>
      process.emitWarning(`a subscriber of ${event.type} threw: ${messageOf(error)}`),
  });
  events.subscribe(recent.add);

  // Until the first reading, which knows what is already in use and what the container allows.
  const limitBytes = limits.memoryBytes === 'auto' ? totalmem() : limits.memoryBytes;
  const budget = resources.use(new Budget({ name: 'node', limitBytes, clock, emit: events.emit }));
  const isNewDefault = !loaded.isSet('store.directory') && !existsSync(store.directory);
  const database = resources.use(
    await SqliteDatabase.open({
      path: join(store.directory, STORE_FILE),
      clock,
      random: seededRandom(startedAtMs + process.pid),
      lockTimeoutMs: store.lockTimeoutMs,
      onEvent: events.emit,
    }),
  );
  if (isNewDefault) await hideFromGit(store.directory);
  const pageCache = resources.use(new PageCacheConsumer({ budget, cache: database, wantedBytes: store.cacheBytes }));
  resources.use(clock.every(REGROW_EVERY_MS, () => pageCache.regrow()));
  const { holder: memoryStore, registration } = registerRecallCache(
    budget,
    (account) => new SqliteMemoryStore({ database, account, nowMs: () => clock.nowMs(), onEvent: events.emit }),
  );
  resources.use(registration);
  resources.defer(() => memoryStore.settled());
  const memory = resources.use(new LongTermMemory({ store: memoryStore, clock, onEvent: events.emit }));
  const readings = new SqliteReadingStore(database, { node: NODE });
  const compacting = new AbortController();
  resources.defer(() => compacting.abort(new ClosedError('Tenure')));
  const compactNow = () => compact({ readings, clock, events, signal: compacting.signal });
  resources.use(clock.after(COMPACT_FIRST_MS, compactNow));
  resources.use(clock.every(COMPACT_EVERY_MS, compactNow));
  return {
    clock,
    resources,
    events,
    recent,
    budget,
    gate: new CollectionGate({ clock, events: events.emit }),
    database,
    readings,
    memory,
    help: new HelpAgent({ memory, clock }),
    startedAtMs,
  };
}

function compact(with_: {
  readings: SqliteReadingStore;
  clock: Clock;
  events: EventHub<TenureEvent>;
  signal: AbortSignal;
}): void {
  const { readings, clock, events, signal } = with_;
  readings.compact(clock.nowMs(), signal).catch((error: unknown) => {
    if (signal.aborted) return;
    const what = 'compaction of the history';
    events.emit({ type: 'platform.background_failed', atMs: clock.nowMs(), what, message: messageOf(error) });
  });
}
