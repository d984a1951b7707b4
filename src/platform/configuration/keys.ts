/**
 * Every configuration key, with its default: the one place that lists them.
 *
 * The tree has the shape the code reads; each key says where it stands in `tenure.yml`. The schema, the environment
 * variables, the checks, the type `Configuration` and docs/configuration.md all follow from it.
 */
import {
  choice,
  count,
  flag,
  host,
  isKey,
  type Key,
  megabytes,
  megabytesOrAuto,
  megabytesPerHour,
  milliseconds,
  notYet,
  optionalPath,
  path,
  paths,
  percent,
  points,
  seconds,
  type ValuesOf,
} from './key.ts';
import { strategyKeys } from './strategy-keys.ts';

export const keys = {
  monitoring: {
    storedIntervalMs: seconds({
      path: 'memory_management.monitoring_interval',
      default: 30,
      environment: 'MEMORY_MONITORING_INTERVAL',
      about: 'Time between stored readings.',
    }),
    sensorIntervalMs: milliseconds({
      path: 'memory_management.monitoring_interval_ms',
      default: 250,
      min: 50,
      environment: 'MEMORY_MONITORING_INTERVAL_MS',
      about: 'Time between two looks of the sensors.',
    }),
    optimizationIntervalMs: seconds({
      path: 'memory_management.optimization_interval',
      default: 300,
      environment: 'MEMORY_OPTIMIZATION_INTERVAL',
      about: 'Time between optimization passes; a change of level starts one at once.',
      noEffectYet: true,
    }),
    predictionIntervalMs: seconds({
      path: 'memory_management.prediction_interval',
      default: 600,
      environment: 'MEMORY_PREDICTION_INTERVAL',
      about: 'Time between forecasts.',
      noEffectYet: true,
    }),
    observeOnly: flag({
      path: 'memory_management.observe_only',
      default: false,
      about: 'Measure and plan everything, do nothing about pressure.',
    }),
  },
  alerts: {
    usedPercent: percent({
      path: 'memory_management.alert_thresholds.memory_usage_percent',
      default: 80,
      environment: 'MEMORY_USAGE_THRESHOLD',
      about: 'Alert when this share of the limit is in use.',
    }),
    vectorStoreBytes: megabytes({
      path: 'memory_management.alert_thresholds.vector_store_size_mb',
      default: 600,
      scales: true,
      environment: 'VECTOR_STORE_SIZE_THRESHOLD',
      about: 'Alert when the vector indexes hold more.',
    }),
    processBytes: megabytes({
      path: 'memory_management.alert_thresholds.process_memory_mb',
      default: 400,
      scales: true,
      environment: 'PROCESS_MEMORY_THRESHOLD',
      about: 'Alert when the process holds more.',
    }),
    growthBytesPerHour: megabytesPerHour({
      path: 'memory_management.alert_thresholds.memory_growth_rate_mb_per_hour',
      default: 30,
      scales: true,
      about: 'Alert when memory grows faster.',
    }),
    pressureScore: points({
      path: 'memory_management.alert_thresholds.memory_pressure_score',
      default: 70,
      environment: 'MEMORY_PRESSURE_THRESHOLD',
      about: 'Alert when the pressure score is higher.',
    }),
  },
  maxOptimizationMs: seconds({
    path: 'memory_management.max_optimization_execution_time',
    default: 30,
    environment: 'MAX_OPTIMIZATION_EXECUTION_TIME',
    about: 'A whole optimization pass is stopped after this time.',
    noEffectYet: true,
  }),
  strategies: strategyKeys,
  limits: {
    memoryBytes: megabytesOrAuto({
      path: 'memory_management.limits.memory_limit_mb',
      default: 'auto',
      min: 64,
      about:
        'What the process may hold. `auto` takes the tightest of container and physical memory, 1024 where neither is known.',
    }),
    maxHeapBytes: megabytes({
      path: 'memory_management.limits.max_heap_mb',
      default: 1024,
      min: 32,
      scales: true,
      environment: 'MEMORY_MAX_HEAP_MB',
      about: 'Heap limit of workers that Tenure starts.',
      noEffectYet: true,
    }),
    maxStackBytes: megabytes({
      path: 'memory_management.limits.max_stack_mb',
      default: 8,
      max: 256,
      environment: 'MEMORY_MAX_STACK_MB',
      about: 'Stack limit of workers that Tenure starts.',
      noEffectYet: true,
    }),
    warningBytes: megabytes({
      path: 'memory_management.limits.warning_threshold_mb',
      default: 768,
      scales: true,
      environment: 'MEMORY_WARNING_THRESHOLD_MB',
      about: 'Warning when the process holds more.',
    }),
    criticalBytes: megabytes({
      path: 'memory_management.limits.critical_threshold_mb',
      default: 896,
      scales: true,
      environment: 'MEMORY_CRITICAL_THRESHOLD_MB',
      about: 'Critical when the process holds more. Not below the warning.',
    }),
    gcPressureBytes: megabytes({
      path: 'memory_management.limits.gc_pressure_threshold_mb',
      default: 800,
      scales: true,
      about: 'Collect garbage when the process holds more.',
    }),
    gcPressureEnabled: flag({
      path: 'memory_management.limits.enable_gc_pressure',
      default: true,
      about: 'Whether `gc_pressure_threshold_mb` counts.',
    }),
  },
  pools: {
    enabled: flag({
      path: 'memory_management.pools.enabled',
      default: true,
      about: 'Whether the sizes below count; otherwise a pool is as large as it says itself.',
    }),
    databaseMax: count({
      path: 'memory_management.pools.database',
      default: 20,
      min: 1,
      max: 10_000,
      environment: 'MEMORY_DB_POOL_SIZE',
      about: 'Database connections, at most: the size of the pool `database`.',
    }),
    llmMax: count({
      path: 'memory_management.pools.llm',
      default: 10,
      min: 1,
      max: 10_000,
      environment: 'MEMORY_LLM_POOL_SIZE',
      about: 'LLM clients, at most: the size of the pool `llm`.',
    }),
    httpMax: count({
      path: 'memory_management.pools.http',
      default: 100,
      min: 1,
      max: 10_000,
      environment: 'MEMORY_HTTP_POOL_SIZE',
      about: 'HTTP connections, at most: the size of the pool `http`.',
    }),
  },
  sessions: {
    max: count({
      path: 'memory_management.sessions.max',
      default: 500,
      min: 1,
      about: 'Sessions a pool holds in memory; the least recently used goes to disk first.',
    }),
    idleMs: seconds({
      path: 'memory_management.sessions.idle_timeout',
      default: 1800,
      about: 'A session idle for longer goes to disk.',
    }),
  },
  streaming: {
    limitBytes: megabytes({
      path: 'memory_management.streaming.memory_limit_mb',
      default: 512,
      scales: true,
      about: 'What one stream may hold while a file passes through.',
    }),
  },
  leakDetection: notYet({
    enabled: flag({ path: 'memory_management.leak_detection.enabled', default: true, about: 'Look for leaks.' }),
    thresholdBytes: megabytes({
      path: 'memory_management.leak_detection.threshold_mb',
      default: 100,
      scales: true,
      environment: 'MEMORY_LEAK_THRESHOLD_MB',
      about: 'Growth that counts as a leak.',
    }),
    minSamples: count({
      path: 'memory_management.leak_detection.samples',
      default: 20,
      min: 20,
      max: 10_000,
      about: 'Samples needed before anything is called a leak.',
    }),
  }),
  server: {
    host: host({
      path: 'server.host',
      default: '127.0.0.1',
      restart: true,
      environment: 'TENURE_HOST',
      about: 'Address to listen on; only loopback addresses are accepted.',
    }),
    port: count({
      path: 'server.port',
      default: 7341,
      max: 65_535,
      restart: true,
      environment: 'TENURE_PORT',
      about: 'Port to listen on; 0 takes any free one.',
    }),
    bodyLimitBytes: megabytes({
      path: 'server.body_limit_mb',
      default: 8,
      max: 256,
      restart: true,
      about: 'Largest JSON body of a request.',
    }),
    ingestLimitBytes: megabytes({
      path: 'server.ingest_limit_mb',
      default: 1024,
      restart: true,
      about: 'Largest document sent to `/ingest`; it is streamed, never held whole.',
    }),
    requestTimeoutMs: seconds({
      path: 'server.request_timeout',
      default: 30,
      max: 3600,
      restart: true,
      about: 'A request that takes longer is given up. For `/ingest`: time without a byte from the client.',
    }),
  },
  store: {
    directory: path({
      path: 'store.directory',
      default: '.tenure',
      restart: true,
      environment: 'TENURE_DIRECTORY',
      about: 'Folder of the store.',
    }),
    cacheBytes: megabytes({
      path: 'store.cache_mb',
      default: 16,
      max: 65_536,
      restart: true,
      about: 'Page cache of the store, under the budget.',
    }),
    lockTimeoutMs: milliseconds({
      path: 'store.lock_timeout_ms',
      default: 5000,
      min: 1,
      restart: true,
      environment: 'TENURE_LOCK_TIMEOUT_MS',
      about: 'Busy timeout: how long a write waits for the lock of another process.',
    }),
  },
  log: {
    level: choice({
      path: 'log.level',
      default: 'info',
      of: ['debug', 'info', 'warning', 'error', 'silent'],
      about: 'Least serious line that is written.',
    }),
    format: choice({
      path: 'log.format',
      default: 'auto',
      of: ['auto', 'text', 'json'],
      restart: true,
      about: 'Lines on the screen: `auto` writes text to a terminal and JSON into a pipe. The file is always JSON.',
    }),
    file: optionalPath({ path: 'log.file', default: null, restart: true, about: 'Also write to this file.' }),
    maxSizeBytes: megabytes({
      path: 'log.max_size_mb',
      default: 10,
      max: 4096,
      restart: true,
      about: 'The file is rotated and compressed at this size.',
    }),
    keep: count({ path: 'log.keep', default: 5, min: 1, max: 1000, restart: true, about: 'Rotated files to keep.' }),
  },
  help: {
    documents: paths({
      path: 'help.documents',
      default: [],
      restart: true,
      about: 'Files and folders the help agent learns at start.',
    }),
  },
};

/** Everything that can be configured, as the code reads it: sizes in bytes, times in milliseconds. */
export type Configuration = ValuesOf<typeof keys>;

/** A key with its name in code, such as `limits.maxHeapBytes`. */
export interface NamedKey {
  readonly name: string;
  readonly key: Key<unknown>;
}

/** Every key in order of the table. */
export const keyList: readonly NamedKey[] = flatten(keys, '');

const keysByPath = new Map(keyList.map(({ key }) => [key.path, key]));

/** The key that stands at `path` in `tenure.yml`. */
export function keyAt(path: string): Key<unknown> | undefined {
  return keysByPath.get(path);
}

function flatten(node: object, name: string): NamedKey[] {
  if (isKey(node)) return [{ name, key: node }];
  return Object.entries(node).flatMap(([part, child]) => flatten(child, name === '' ? part : `${name}.${part}`));
}
