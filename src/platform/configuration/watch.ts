/**
 * Reload without restart: a changed `tenure.yml` is loaded, checked as a whole, and handed on; one that cannot be used is
 * reported and the configuration in force stays. So it does when the file is gone or empty, as it is for a moment while an editor saves.
 *
 * The folder is watched, not the file, because editors and Kubernetes replace files instead of writing into them (a mounted
 * ConfigMap turns the link `..data`). A change is looked at only when the folder has been quiet for a moment, so a file that is still being
 * written is not judged half-way.
 */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import { messageOf, TenureError } from '../../base/errors.ts';
import type { EventSink, TenureEventBase } from '../../base/events.ts';
import { keyAt } from './keys.ts';
import type { LoadedConfiguration } from './loaded-configuration.ts';

/** A changed configuration is in force. */
export interface ConfigurationReloadedEvent extends TenureEventBase {
  readonly type: 'platform.configuration_reloaded';
  /** Paths of the keys that changed. */
  readonly changed: readonly string[];
  /** Those among them that a restart takes over, not this reload. */
  readonly needRestart: readonly string[];
}

/** A changed configuration cannot be used, or changes can no longer be seen; the one in force stays. */
export interface ConfigurationRejectedEvent extends TenureEventBase {
  readonly type: 'platform.configuration_rejected';
  /** The error's, or `CONFIG_NOT_WATCHED`. */
  readonly code: string;
  readonly message: string;
}

export type ConfigurationEvent = ConfigurationReloadedEvent | ConfigurationRejectedEvent;

const QUIET_MS = 200;

export interface WatchOptions {
  /** The configuration in force; it need not have come from a file, for one may be made later. */
  readonly current: LoadedConfiguration;
  /** Loads it anew, from the same places. */
  readonly load: () => Promise<LoadedConfiguration>;
  readonly clock: Clock;
  /** Puts a new configuration in force. */
  readonly apply: (configuration: LoadedConfiguration) => void;
  readonly onEvent: EventSink<ConfigurationEvent>;
}

export class ConfigurationWatch implements Disposable {
  readonly #options: WatchOptions;
  #current: LoadedConfiguration;
  #watcher: FSWatcher | undefined;
  #quiet: Timer | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#current = options.current;
    this.#watch(options.current.file);
  }

  /** Tells that the file may have changed: loads it once nothing has been heard for a moment. */
  touch(): void {
    this.#quiet?.cancel();
    this.#quiet = this.#options.clock.after(QUIET_MS, () => void this.reload());
  }

  /** Loads the configuration now, one load after the other. A configuration that cannot be used is an event, not a rejection. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#load());
    return this.#reloading;
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#quiet?.cancel();
    this.#watcher?.close();
  }

  #watch(file: string): void {
    const names = [basename(file), '..data'];
    try {
      this.#watcher = watch(dirname(file), { persistent: false }, (_kind, name) => {
        if (name === null || names.includes(name)) this.touch();
      });
      this.#watcher.on('error', (error) => this.#reject('CONFIG_NOT_WATCHED', error));
    } catch (error) {
      this.#reject('CONFIG_NOT_WATCHED', error);
    }
  }

  async #load(): Promise<void> {
    if (this.#closed) return;
    try {
      const next = await this.#options.load();
      const changed = next.changedFrom(this.#current);
      if (this.#closed || changed.length === 0) return;
      this.#options.apply(next);
      this.#current = next;
      const needRestart = changed.filter((path) => keyAt(path)?.restart);
      this.#emit({ type: 'platform.configuration_reloaded', changed, needRestart });
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      this.#reject(error.code, error);
    }
  }

  #reject(code: string, error: unknown): void {
    this.#emit({ type: 'platform.configuration_rejected', code, message: messageOf(error) });
  }

  #emit(event: Omit<ConfigurationReloadedEvent, 'atMs'> | Omit<ConfigurationRejectedEvent, 'atMs'>): void {
    this.#options.onEvent({ ...event, atMs: this.#options.clock.nowMs() });
  }
}
