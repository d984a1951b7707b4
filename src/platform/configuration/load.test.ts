import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GIB, MIB } from '../../base/bytes.ts';
import { keyList } from './keys.ts';
import { type LoadOptions, loadConfiguration } from './load.ts';
import { ConfigurationError } from './problem.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-configuration-'));
});

afterEach(() => rm(folder, { recursive: true }));

const load = (options: LoadOptions = {}) =>
  loadConfiguration({ environment: {}, workingDirectory: folder, ...options });

async function loadText(text: string | Uint8Array, options: LoadOptions = {}) {
  await writeFile(join(folder, 'tenure.yml'), text);
  return load(options);
}

/** The problems of a text, as `line:column key: message`. */
async function problemsOf(text: string, options: LoadOptions = {}): Promise<string[]> {
  const error = await loadText(text, options).then(
    () => new Error('It was accepted.'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
  return (error as ConfigurationError).details['problems'] as string[];
}

const short = (problem: string) => problem.replace(`${join(folder, 'tenure.yml')}:`, '');

describe('defaults', () => {
  it('are those of the specification, in bytes and milliseconds', async () => {
    const { values, path } = await load();
    expect(path).toBeNull();
    expect(values.monitoring).toEqual({
      storedIntervalMs: 30_000,
      sensorIntervalMs: 250,
      optimizationIntervalMs: 300_000,
      predictionIntervalMs: 600_000,
      observeOnly: false,
    });
    expect(values.alerts).toEqual({
      usedPercent: 80,
      vectorStoreBytes: 600 * MIB,
      processBytes: 400 * MIB,
      growthBytesPerHour: 30 * MIB,
      pressureScore: 70,
    });
    expect(values.limits).toEqual({
      memoryBytes: 'auto',
      maxHeapBytes: GIB,
      maxStackBytes: 8 * MIB,
      warningBytes: 768 * MIB,
      criticalBytes: 896 * MIB,
      gcPressureBytes: 800 * MIB,
      gcPressureEnabled: true,
    });
    expect(values.strategies.vectorStoreCleanup).toMatchObject({
      enabled: true,
      thresholdBytes: 500 * MIB,
      cleanupShare: 0.3,
    });
    expect(values.server).toMatchObject({ host: '127.0.0.1', port: 7341 });
    expect(values.store.directory).toBe(join(folder, '.tenure'));
  });

  it('of every key satisfy its own schema', () => {
    for (const { key } of keyList) expect(key.schema.safeParse(key.default), key.path).toMatchObject({ success: true });
  });

  it('stand at paths and names that are all different', () => {
    expect(new Set(keyList.map(({ key }) => key.path)).size).toBe(keyList.length);
    const variables = keyList.flatMap(({ key }) => key.environment ?? []);
    expect(new Set(variables).size).toBe(variables.length);
  });
});

describe('the environment', () => {
  const documented = [
    ...[
      'MEMORY_MONITORING_INTERVAL',
      'MEMORY_MONITORING_INTERVAL_MS',
      'MEMORY_OPTIMIZATION_INTERVAL',
      'MEMORY_PREDICTION_INTERVAL',
    ],
    ...[
      'MEMORY_USAGE_THRESHOLD',
      'VECTOR_STORE_SIZE_THRESHOLD',
      'PROCESS_MEMORY_THRESHOLD',
      'MEMORY_PRESSURE_THRESHOLD',
    ],
    ...[
      'ENABLE_GARBAGE_COLLECTION',
      'ENABLE_VECTOR_STORE_CLEANUP',
      'ENABLE_AGENT_RESTART',
      'MAX_OPTIMIZATION_EXECUTION_TIME',
    ],
    ...['MEMORY_MAX_HEAP_MB', 'MEMORY_MAX_STACK_MB', 'MEMORY_WARNING_THRESHOLD_MB', 'MEMORY_CRITICAL_THRESHOLD_MB'],
    ...['MEMORY_DB_POOL_SIZE', 'MEMORY_LLM_POOL_SIZE', 'MEMORY_HTTP_POOL_SIZE', 'MEMORY_LEAK_THRESHOLD_MB'],
    ...['TENURE_DIRECTORY', 'TENURE_PORT', 'TENURE_HOST', 'TENURE_LOCK_TIMEOUT_MS'],
  ];

  it('has every documented variable', () => {
    expect(keyList.flatMap(({ key }) => key.environment ?? []).sort()).toEqual(documented.sort());
  });

  it.each(documented)('%s goes over its key in the file', async (variable) => {
    const { key } = keyList.find(({ key }) => key.environment === variable)!;
    const [inFile, inEnvironment] =
      key.kind === 'flag' ? [true, 'off'] : key.kind === 'number' ? [70, '60'] : ['"::1"', 'localhost'];
    const yaml = key.path.split('.').reduceRight((below, name) => `{ ${name}: ${below} }`, String(inFile));
    const fromFile = await loadText(yaml);
    const both = await loadText(yaml, { environment: { [variable]: inEnvironment } });
    expect(both.origin(key.path)).toEqual({ kind: 'environment', name: variable });
    expect(both.changedFrom(fromFile)).toEqual([key.path]);
  });

  it('reads the production sample', async () => {
    const { values } = await load({
      environment: {
        MEMORY_MAX_HEAP_MB: '2048',
        MEMORY_WARNING_THRESHOLD_MB: '1536',
        MEMORY_CRITICAL_THRESHOLD_MB: '1792',
        MEMORY_MONITORING_INTERVAL_MS: '10000',
        ENABLE_AGENT_RESTART: 'No',
      },
    });
    expect(values.limits).toMatchObject({
      maxHeapBytes: 2048 * MIB,
      warningBytes: 1536 * MIB,
      criticalBytes: 1792 * MIB,
    });
    expect(values.monitoring.sensorIntervalMs).toBe(10_000);
    expect(values.strategies.agentRestart.enabled).toBe(false);
  });

  it('counts an empty variable as not set, and names a bad one', async () => {
    const { values } = await load({ environment: { TENURE_PORT: ' ' } });
    expect(values.server.port).toBe(7341);
    const environment = {
      TENURE_PORT: '70000',
      MEMORY_MAX_HEAP_MB: '1g',
      ENABLE_AGENT_RESTART: 'maybe',
      MEMORY_USAGE_THRESHOLD: 'NaN',
    };
    expect(await problemsOf('', { environment })).toEqual([
      'MEMORY_USAGE_THRESHOLD memory_management.alert_thresholds.memory_usage_percent: is NaN, which is no number to work with. Expected a number of percent, 0 to 100.',
      'ENABLE_AGENT_RESTART memory_management.optimization_strategies.agent_restart.enabled: is "maybe". Expected true or false.',
      'MEMORY_MAX_HEAP_MB memory_management.limits.max_heap_mb: is "1g", with a unit; this key is already in MB: write 1024. Expected a number of MB, 32 to 16777216.',
      'TENURE_PORT server.port: is 70000, which is too large. Expected a whole number, 0 to 65535.',
    ]);
  });
});

describe('values given in code', () => {
  it('go over file and environment, in bytes and milliseconds', async () => {
    const loaded = await loadText('server: { port: 1 }', {
      environment: { TENURE_PORT: '2' },
      overrides: {
        server: { port: 3 },
        limits: { memoryBytes: 512 * MIB },
        sessions: { idleMs: 5000, max: undefined },
      },
    });
    expect(loaded.values.server.port).toBe(3);
    expect(loaded.values.limits.memoryBytes).toBe(512 * MIB);
    expect(loaded.values.sessions).toEqual({ idleMs: 5000, max: 500 });
    expect(loaded.origin('server.port')).toEqual({ kind: 'code' });
  });

  it('pass through the same checks', async () => {
    expect(await problemsOf('', { overrides: { limits: { maxHeapBytes: -MIB } } })).toEqual([
      'code memory_management.limits.max_heap_mb: is -1; it cannot be negative. Expected a number of MB, 32 to 16777216.',
    ]);
  });

  it('under an unknown name are refused with the nearest one', async () => {
    const overrides = { limits: { maxHeapByte: 1 } } as LoadOptions['overrides'];
    await expect(load({ overrides })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'configuration.limits.maxHeapByte: is not a part of the configuration. Did you mean maxHeapBytes?',
    });
    await expect(load({ overrides: { limits: 3 } as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(load({ overrides: JSON.parse('{ "__proto__": {} }') })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('come back as they were given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.constantFrom(...keyList), (value, { key }) => {
        if (key.kind === 'number') expect(key.toValue(key.toWritten(value))).toBe(value);
      }),
    );
  });
});

describe('tenure.yml', () => {
  it('is read from the working directory, or from the path given', async () => {
    const found = await loadText('server: { port: 1 }');
    expect(found.path).toBe(join(folder, 'tenure.yml'));
    await writeFile(join(folder, 'other.yml'), 'server: { port: 2 }');
    const named = await load({ path: 'other.yml' });
    expect(named.values.server.port).toBe(2);
    expect(named.origin('server.port')).toEqual({ kind: 'file', file: join(folder, 'other.yml'), line: 1, column: 17 });
    expect(named.isSet('server.port')).toBe(true);
    expect(named.isSet('server.host')).toBe(false);
  });

  it('may be empty, or have groups without keys', async () => {
    for (const text of ['', '# nothing yet\n', 'memory_management:\nserver:\n']) {
      expect((await loadText(text)).values).toEqual((await load({ path: 'tenure.yml' })).values);
    }
  });

  it('takes relative paths from its own folder, the environment from the working directory', async () => {
    const yaml = 'store: { directory: data }\nhelp: { documents: [docs, /abs] }\nlog: { file: tenure.log }';
    const fromFile = await loadText(yaml, { workingDirectory: '/elsewhere', path: join(folder, 'tenure.yml') });
    expect(fromFile.values.store.directory).toBe(join(folder, 'data'));
    expect(fromFile.values.help.documents).toEqual([join(folder, 'docs'), '/abs']);
    expect(fromFile.values.log.file).toBe(join(folder, 'tenure.log'));
    const fromEnvironment = await load({ workingDirectory: '/elsewhere', environment: { TENURE_DIRECTORY: 'data' } });
    expect(fromEnvironment.values.store.directory).toBe('/elsewhere/data');
  });

  it('reports every mistake at once, with place, key, cause and remedy', async () => {
    const problems = await problemsOf(`memory_management:
  monitoring_interval: 30s
  monitoring_interval_ms: -5
  optimization_interval: .nan
  limts: 3
  alert_thresholds:
    process_memory_mb: "512 MB"
    memory_usage_percent: 80%
    memory_pressure_score: 101
  limits:
    memory_limit_mb: 1 GB
    maxHeapMb: 4
    warning_threshold_mb: [1]
    critical_threshold_mb: "900"
  pools: 5
  optimization_strategies:
    garbage_collection: { enabled: yes, threshold: , risk: lo }
    agent_restart: { max_restarts_per_hour: 1.5 }
port: 80
help: { documents: [docs, 3] }
`);
    expect(problems.map(short)).toEqual([
      '2:24 memory_management.monitoring_interval: is "30s", with a unit; this key is already in seconds: write 30. Expected a number of seconds, 1 to 604800.',
      '3:27 memory_management.monitoring_interval_ms: is -5; it cannot be negative. Expected a whole number of milliseconds, 50 to 3600000.',
      '4:26 memory_management.optimization_interval: is NaN, which is no number to work with. Expected a number of seconds, 1 to 604800.',
      '5:3 memory_management.limts: unknown key. Did you mean limits?',
      '7:24 memory_management.alert_thresholds.process_memory_mb: is "512 MB", with a unit; this key is already in MB: write 512. Expected a number of MB, 1 to 16777216.',
      '8:27 memory_management.alert_thresholds.memory_usage_percent: is "80%", with a unit; this key is already in percent: write 80. Expected a number of percent, 0 to 100.',
      '9:28 memory_management.alert_thresholds.memory_pressure_score: is 101, which is too large. Expected a number of points, 0 to 100.',
      '11:22 memory_management.limits.memory_limit_mb: is "1 GB", with a unit; this key is already in MB: write 1024. Expected auto, or a number of MB, 64 to 16777216.',
      '12:5 memory_management.limits.maxHeapMb: unknown key. Did you mean max_heap_mb?',
      '13:27 memory_management.limits.warning_threshold_mb: is a list. Expected a number of MB, 1 to 16777216.',
      '14:28 memory_management.limits.critical_threshold_mb: is the text "900"; write 900 without quotes. Expected a number of MB, 1 to 16777216.',
      '15:10 memory_management.pools: must be a group of keys: enabled, database, llm, http.',
      '17:36 memory_management.optimization_strategies.garbage_collection.enabled: is "yes". Expected true or false.',
      '17:60 memory_management.optimization_strategies.garbage_collection.risk: is "lo". Expected one of low, medium, high.',
      '17:52 memory_management.optimization_strategies.garbage_collection.threshold: has no value. Expected a number of percent, 0 to 100.',
      '18:45 memory_management.optimization_strategies.agent_restart.max_restarts_per_hour: is 1.5, which has a fraction. Expected a whole number, 0 to 60.',
      '19:1 port: unknown key. Did you mean server.port?',
      '20:27 help.documents: has an entry that is no path. Expected a list of paths.',
    ]);
  });

  it.each([
    ['optimization_interval: 5m', 'write 300.'],
    ['optimization_interval: 500 ms', 'write 0.5.'],
    ['monitoring_interval_ms: 1s', 'write 1000.'],
    ['optimization_interval: 3 apples', 'is "3 apples".'],
    ['optimization_interval: .inf', 'is Infinity'],
    ['optimization_interval: { every: 3 }', 'is a group of keys.'],
    ['optimization_interval: 0.5', 'too small'],
    [
      'optimization_strategies: { vector_store_cleanup: { cleanup_ratio: 30% } }',
      'write 0.3. Expected a number between 0 and 1.',
    ],
  ])('says what is wrong with `%s`', async (line, message) => {
    const [problem] = await problemsOf(`memory_management:\n  ${line}\n`);
    expect(problem).toContain(message);
  });

  it.each([
    ['__proto__: { port: 1 }', '__proto__: unknown key'],
    ['constructor: 1', 'constructor: unknown key'],
    ['zzz: 1', 'Known here: memory_management, server, store, log, help.'],
    ['<<: { port: 1 }', '<<: unknown key'],
    ['[1, 2]', 'must be a group of keys: memory_management'],
    ['just a text', 'must be a group of keys'],
    ['&a server: { port: *a }', 'server.port: is "server"'],
    ['log: &l { level: loud }\nserver: *l', 'server.level: unknown key'],
  ])('refuses `%s`', async (text, message) => {
    expect((await problemsOf(text)).join('\n')).toContain(message);
  });

  it.each([
    ['a mapping that is not one', 'server:\n  port: 1\n host: x\n', /:3:1: not valid YAML/],
    ['a key given twice', 'server: { port: 1 }\nserver: { port: 2 }\n', /:2:1: not valid YAML/],
    ['an unclosed quote', 'server:\n  host: "x\n', /: not valid YAML/],
    ['an unknown tag', 'server: !ruby { port: 1 }', /:1:9: not valid YAML/],
    ['several documents', 'server: { port: 1 }\n---\nserver: { port: 2 }\n', /not valid YAML/],
    [
      'aliases that multiply',
      `a: &a [${'1,'.repeat(99)}]\nb: &b [${'*a,'.repeat(99)}]\nc: [${'*b,'.repeat(99)}]`,
      /not usable YAML/,
    ],
  ])('refuses %s as YAML, with the line', async (_name, text, message) => {
    expect((await problemsOf(text)).join('\n')).toMatch(message);
  });

  it('that cannot be read says so', async () => {
    await expect(load({ path: 'missing.yml' })).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: /no such file/,
    });
    await expect(load({ path: '.' })).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
    await expect(loadText(Uint8Array.of(0x73, 0xff, 0xfe))).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      message: /UTF-8/,
    });
    await expect(loadText('#'.repeat(MIB + 1))).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE', message: /larger/ });
  });

  it('never fails but with a coded error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), async (text) => {
        await loadText(text).then(
          () => undefined,
          (error) => expect(error.code).toMatch(/^CONFIG_(INVALID|UNREADABLE)$/),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe('values that contradict each other', () => {
  it.each([
    [
      'limits: { warning_threshold_mb: 900, critical_threshold_mb: 800 }',
      '2:35 memory_management.limits.warning_threshold_mb: does not go with memory_management.limits.critical_threshold_mb',
    ],
    [
      'limits: { memory_limit_mb: 512, critical_threshold_mb: 600 }',
      'critical_threshold_mb: does not go with memory_management.limits.memory_limit_mb: a threshold above the limit is never reached.',
    ],
    ['monitoring_interval: 0.2', 'too small'],
    [
      'monitoring_interval_ms: 60000',
      '2:27 memory_management.monitoring_interval_ms: does not go with memory_management.monitoring_interval',
    ],
  ])('are refused: %s', async (line, message) => {
    expect((await problemsOf(`memory_management:\n  ${line}\n`)).join('\n')).toContain(message);
  });

  it('are not made by a default that follows the limit', async () => {
    const { values } = await loadText(
      'memory_management: { limits: { warning_threshold_mb: 1500, memory_limit_mb: 2048 } }',
    );
    expect(values.limits.warningBytes).toBe(1500 * MIB);
  });
});

describe('scaledTo', () => {
  it('moves defaults in MB with the limit and leaves what was set, and what is no share of it', async () => {
    const loaded = await loadText('memory_management: { alert_thresholds: { process_memory_mb: 400 } }');
    const scaled = loaded.scaledTo(4 * GIB);
    expect(scaled.alerts).toMatchObject({ processBytes: 400 * MIB, vectorStoreBytes: 2400 * MIB, usedPercent: 80 });
    expect(scaled.limits).toMatchObject({
      warningBytes: 3072 * MIB,
      criticalBytes: 3584 * MIB,
      maxStackBytes: 8 * MIB,
    });
    expect(scaled.store).toEqual(loaded.values.store);
    expect(loaded.scaledTo(GIB)).toEqual(loaded.values);
  });

  it('keeps the warning at or below critical', async () => {
    const highWarning = await loadText('memory_management: { limits: { warning_threshold_mb: 500 } }');
    expect(highWarning.scaledTo(GIB / 2).limits).toMatchObject({ warningBytes: 500 * MIB, criticalBytes: 500 * MIB });
    const lowCritical = await loadText('memory_management: { limits: { critical_threshold_mb: 500 } }');
    expect(lowCritical.scaledTo(4 * GIB).limits).toMatchObject({ warningBytes: 500 * MIB, criticalBytes: 500 * MIB });
  });
});
