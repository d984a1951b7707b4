/** The parts of a node, opened in the order they depend on each other: everything but the monitor, which needs the node to be there. */
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { LongTermMemory } from '../agent-memory/long-term.ts';
import { HelpAgent } from '../agents/help/help-agent.ts';
import type { Clock } from '../base/clock.ts';
import { ClosedError, messageOf } from '../base/errors.ts';
import { EventHub, type EventSink } from '../base/events.ts';
import type { Level } from '../base/levels.ts';
import { seededRandom } from '../base/random.ts';
import type { ResourceScope } from '../base/resource-scope.ts';
import { Budget } from '../budget/budget.ts';
import { CollectionGate } from '../pressure/collection-gate.ts';
import { SqliteDatabase } from '../storage/sqlite/connection.ts';
import { SqliteEmbeddingStore } from '../storage/sqlite/embedding-store.ts';
import { SqliteMemoryStore } from '../storage/sqlite/memory-store.ts';
import { SqliteReadingStore } from '../storage/sqlite/reading-store.ts';
import { SqliteSessionStore } from '../storage/sqlite/session-store.ts';
import type { Configuration } from './configuration/keys.ts';
import type { LoadedConfiguration } from './configuration/loaded-configuration.ts';
import { hideFromGit } from './hide-from-git.ts';
import { Holders } from './holders.ts';
import { PageCacheConsumer } from './page-cache.ts';
import { underBudget } from './recall-cache.ts';
import { RecentEvents } from './recent-events.ts';
import type { TenureEvent } from './tenure-event.ts';

const STORE_FILE = 'tenure.db';
/** Whose readings the history of this store is; one node a folder. */
const NODE = 'local';
const RECENT_EVENTS = 500;
/** A process that never runs for an hour still compacts; one that just starts has better things to do. */
const COMPACT_FIRST_MS = 60_000;
const COMPACT_EVERY_MS = 3_600_000;
const REGROW_EVERY_MS = 30_000;

/** What one node is made of, as far as it is open. */
export interface Parts {
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
  readonly holders: Holders;
  readonly startedAtMs: number;
}

/** Opens the parts; `resources` closes them in reverse. */
export async function openParts(from: {
  clock: Clock;
  loaded: LoadedConfiguration;
  resources: ResourceScope;
  onEvent: EventSink<TenureEvent> | undefined;
  /** The configuration in force, and how bad pressure is, as long as the node runs. */
  configuration: () => Configuration;
  level: () => Level;
}): Promise<Parts> {
  const { clock, loaded, resources, onEvent, configuration, level } = from;
  const { limits, store } = loaded.values;
  const startedAtMs = clock.nowMs();
  const recent = new RecentEvents<TenureEvent>(RECENT_EVENTS);
  const events = new EventHub<TenureEvent>({
    onSubscriberError: (error, event) =>
      process.emitWarning(`a subscriber of ${event.type} threw: ${messageOf(error)}`),
  });
  events.subscribe(recent.add);
  if (onEvent) events.subscribe(onEvent);

  // Until the first reading, which knows what is already in use and what the container allows.
  const limitBytes = limits.memoryBytes === 'auto' ? totalmem() : limits.memoryBytes;
  const budget = resources.use(new Budget({ name: 'node', limitBytes, clock, emit: events.emit }));
  const random = seededRandom(startedAtMs + process.pid);
  const isNewDefault = !loaded.isSet('store.directory') && !existsSync(store.directory);
  const database = resources.use(
    await SqliteDatabase.open({
      path: join(store.directory, STORE_FILE),
      clock,
      random,
      lockTimeoutMs: store.lockTimeoutMs,
      onEvent: events.emit,
    }),
  );
  if (isNewDefault) await hideFromGit(store.directory);
  const pageCache = resources.use(new PageCacheConsumer({ budget, cache: database, wantedBytes: store.cacheBytes }));
  resources.use(clock.every(REGROW_EVERY_MS, () => pageCache.regrow()));
  const { store: memoryStore, registration } = underBudget(
    budget,
    (account) => new SqliteMemoryStore({ database, account, nowMs: () => clock.nowMs(), onEvent: events.emit }),
  );
  resources.use(registration);
  resources.defer(() => memoryStore.settled());
  const memory = resources.use(new LongTermMemory({ store: memoryStore, clock, onEvent: events.emit }));
  const holders = resources.use(
    new Holders({
      ...{ budget, clock, random, emit: events.emit, level, configuration },
      embeddingStore: new SqliteEmbeddingStore(database, { nowMs: () => clock.nowMs() }),
      sessionStore: (pool) => new SqliteSessionStore(database, { pool }),
    }),
  );
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
    gate: new CollectionGate({
      clock,
      events: events.emit,
      enabled: () => configuration().strategies.garbageCollection.enabled,
    }),
    database,
    readings,
    memory,
    help: new HelpAgent({ memory, clock }),
    holders,
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
