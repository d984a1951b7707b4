/** A real store in a folder of its own, and long-term memory and sessions over it, gone after the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LongTermMemory, type MemoryEvent } from '../agent-memory/long-term.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { seededRandom } from '../base/random.ts';
import { ResourceScope } from '../base/resource-scope.ts';
import { SqliteDatabase } from '../storage/sqlite/connection.ts';
import { SqliteMemoryStore } from '../storage/sqlite/memory-store.ts';
import { SqliteSessionStore } from '../storage/sqlite/session-store.ts';

export class TemporaryStore implements AsyncDisposable {
  readonly path: string;
  readonly #resources: ResourceScope;
  readonly #clock: Clock;

  private constructor(path: string, options: { resources: ResourceScope; clock: Clock }) {
    this.path = path;
    this.#resources = options.resources;
    this.#clock = options.clock;
  }

  static async create(options: { clock?: Clock } = {}): Promise<TemporaryStore> {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-store-'));
    const resources = new ResourceScope('temporary store');
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    return new TemporaryStore(join(folder, 'tenure.db'), { resources, clock: options.clock ?? systemClock });
  }

  /** Opens the file with a connection of its own, as another process would. */
  async openDatabase(): Promise<SqliteDatabase> {
    const database = await SqliteDatabase.open({
      path: this.path,
      clock: this.#clock,
      random: seededRandom(1),
      onEvent: () => {},
    });
    return this.#resources.use(database);
  }

  async openMemoryStore(): Promise<SqliteMemoryStore> {
    const store = new SqliteMemoryStore({
      database: await this.openDatabase(),
      nowMs: () => this.#clock.nowMs(),
      onEvent: ({ message }) => {
        throw new Error(`indexing failed: ${message}`);
      },
    });
    this.#resources.defer(() => store.settled());
    return store;
  }

  /** Sessions over a connection of their own. */
  async openSessionStore(options: { pool?: string } = {}): Promise<SqliteSessionStore> {
    return new SqliteSessionStore(await this.openDatabase(), { pool: options.pool ?? 'sessions' });
  }

  async openMemory(events: MemoryEvent[] = []): Promise<LongTermMemory> {
    const store = await this.openMemoryStore();
    return this.#resources.use(
      new LongTermMemory({ store, clock: this.#clock, onEvent: (event) => void events.push(event) }),
    );
  }

  close(): Promise<void> {
    return this.#resources.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
