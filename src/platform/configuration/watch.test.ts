import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import { loadConfiguration } from './load.ts';
import type { LoadedConfiguration } from './loaded-configuration.ts';
import { type ConfigurationEvent, ConfigurationWatch, type WatchOptions } from './watch.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-watch-'));
  file = join(folder, 'tenure.yml');
  await writeFile(file, 'server: { port: 1 }');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const load = () => loadConfiguration({ path: file, environment: {}, isReload: true });

async function watched(options: Partial<WatchOptions> = {}) {
  const current = options.current ?? (await load());
  const events: ConfigurationEvent[] = [];
  const applied: LoadedConfiguration[] = [];
  const clock = new ManualClock();
  let tell: () => void;
  const heard = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const watch = new ConfigurationWatch({
    load,
    clock,
    apply: (configuration) => applied.push(configuration),
    onEvent: (event) => {
      events.push(event);
      tell();
    },
    ...options,
    current,
  });
  return { watch, clock, events, applied, heard };
}

describe('ConfigurationWatch', () => {
  it('applies a changed file and says what changed and what needs a restart', async () => {
    const { watch, events, applied } = await watched();
    using _ = watch;
    await writeFile(file, 'server: { port: 2 }\nmemory_management: { observe_only: true }');
    await watch.reload();
    expect(applied.map(({ values }) => [values.server.port, values.monitoring.observeOnly])).toEqual([[2, true]]);
    expect(events).toMatchObject([
      {
        type: 'platform.configuration_reloaded',
        changed: ['memory_management.observe_only', 'server.port'],
        needRestart: ['server.port'],
      },
    ]);
  });

  it('keeps the configuration in force when the new one is wrong, and takes the next good one', async () => {
    const { watch, events, applied } = await watched();
    using _ = watch;
    await writeFile(file, 'server: { port: -2 }');
    await watch.reload();
    expect(applied).toEqual([]);
    expect(events).toMatchObject([{ type: 'platform.configuration_rejected', code: 'CONFIG_INVALID' }]);
    await rm(file);
    await watch.reload();
    expect(events[1]).toMatchObject({ type: 'platform.configuration_rejected', code: 'CONFIG_UNREADABLE' });
    await writeFile(file, 'server: { port: 3 }');
    await watch.reload();
    expect(applied.map(({ values }) => values.server.port)).toEqual([3]);
  });

  it('keeps the configuration in force when the file is emptied, and takes what is written next', async () => {
    const { watch, events, applied } = await watched();
    using _ = watch;
    for (const empty of ['', ' \n\n']) {
      await writeFile(file, empty);
      await watch.reload();
    }
    expect(applied).toEqual([]);
    const rejected = {
      type: 'platform.configuration_rejected',
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${file}:1:1: is empty`),
    };
    expect(events).toMatchObject([rejected, rejected]);
    await writeFile(file, '# the defaults will do');
    await watch.reload();
    expect(applied.map(({ values }) => values.server.port)).toEqual([7341]);
  });

  it('does nothing when only a comment changed', async () => {
    const { watch, events, applied } = await watched();
    using _ = watch;
    await writeFile(file, '# a comment\nserver: { port: 1 }');
    await watch.reload();
    expect([events, applied]).toEqual([[], []]);
  });

  it('waits until the file has been quiet', async () => {
    let loads = 0;
    const { watch, clock } = await watched({
      load: () => {
        loads++;
        return load();
      },
    });
    using _ = watch;
    for (let write = 0; write < 10; write++) {
      watch.touch();
      await clock.advance(100);
    }
    expect(loads).toBe(0);
    await clock.advance(100);
    expect(loads).toBe(1);
  });

  it('hears of a file that was replaced', async () => {
    const { watch, applied, heard } = await watched({ clock: systemClock });
    using _ = watch;
    await writeFile(join(folder, 'new'), 'server: { port: 2 }');
    await rename(join(folder, 'new'), file);
    await heard;
    expect(applied.map(({ values }) => values.server.port)).toEqual([2]);
  });

  it('hears of a file that is made where none was', async () => {
    await rm(file);
    const fromFolder = () => loadConfiguration({ workingDirectory: folder, environment: {} });
    const current = await fromFolder();
    const { watch, applied, heard } = await watched({ current, load: fromFolder, clock: systemClock });
    using _ = watch;
    await writeFile(file, 'server: { port: 2 }');
    await heard;
    expect(applied.map(({ values, path }) => [values.server.port, path])).toEqual([[2, file]]);
  });

  it('leaves nothing behind when closed, and closes twice', async () => {
    const { watch, clock, applied } = await watched();
    watch.touch();
    watch[Symbol.dispose]();
    watch[Symbol.dispose]();
    await writeFile(file, 'server: { port: 2 }');
    await watch.reload();
    expect([clock.pendingTimers, applied]).toEqual([0, []]);
  });

  it('says when the folder cannot be watched', async () => {
    const current = await load();
    await rm(folder, { recursive: true });
    const { watch, events } = await watched({ current });
    watch[Symbol.dispose]();
    expect(events).toMatchObject([
      { type: 'platform.configuration_rejected', code: 'CONFIG_NOT_WATCHED', message: /ENOENT/ },
    ]);
  });
});
