/** The keys of the optimization strategies: what each does, when it runs, how long it may take, and how risky it is. */
import { choice, count, flag, megabytes, notYet, percent, points, seconds, share } from './key.ts';

const RISKS = ['low', 'medium', 'high'] as const;

/** What every strategy has besides its threshold. */
function strategy(
  name: string,
  about: { does: string; risk: (typeof RISKS)[number]; maxSeconds: number; environment?: string },
) {
  const path = `memory_management.optimization_strategies.${name}`;
  return {
    enabled: flag({
      path: `${path}.enabled`,
      default: true,
      about: `${about.does}.`,
      ...(about.environment ? { environment: about.environment } : {}),
    }),
    maxExecutionMs: seconds({
      path: `${path}.max_execution_time`,
      default: about.maxSeconds,
      about: 'It is stopped after this time.',
    }),
    risk: choice({
      path: `${path}.risk`,
      default: about.risk,
      of: RISKS,
      about: 'Plans take the least risk that gives the bytes needed.',
    }),
  };
}

const threshold = (name: string) => `memory_management.optimization_strategies.${name}.threshold`;

/** The responder collects already, and asks whether it may; the rest is the governor's. */
const { enabled: collectionEnabled, ...collection } = strategy('garbage_collection', {
  does: 'Collect garbage at pressure high, when enough was freed, and at critical',
  risk: 'low',
  maxSeconds: 10,
  environment: 'ENABLE_GARBAGE_COLLECTION',
});

export const strategyKeys = {
  garbageCollection: {
    enabled: collectionEnabled,
    ...notYet({
      ...collection,
      thresholdPercent: percent({
        path: threshold('garbage_collection'),
        default: 80,
        about: 'Runs when this share of the limit is in use.',
      }),
    }),
  },
  ...notYet({
    cacheClear: {
      ...strategy('cache_clear', { does: 'Shrink caches', risk: 'low', maxSeconds: 10 }),
      thresholdScore: points({ path: threshold('cache_clear'), default: 70, about: 'Runs above this pressure score.' }),
    },
    vectorStoreCleanup: {
      ...strategy('vector_store_cleanup', {
        does: 'Drop the oldest and least used vectors from memory',
        risk: 'medium',
        maxSeconds: 10,
        environment: 'ENABLE_VECTOR_STORE_CLEANUP',
      }),
      thresholdBytes: megabytes({
        path: threshold('vector_store_cleanup'),
        default: 500,
        scales: true,
        about: 'Runs when the vector indexes hold more.',
      }),
      cleanupShare: share({
        path: 'memory_management.optimization_strategies.vector_store_cleanup.cleanup_ratio',
        default: 0.3,
        about: 'Share of the vectors that goes.',
      }),
    },
    memoryCompression: {
      ...strategy('memory_compression', {
        does: 'Compress vector codes, sessions and histories',
        risk: 'low',
        maxSeconds: 10,
      }),
      thresholdBytes: megabytes({
        path: threshold('memory_compression'),
        default: 400,
        scales: true,
        about: 'Runs when the process holds more.',
      }),
    },
    objectCleanup: {
      ...strategy('object_cleanup', { does: 'Drop expired and idle objects', risk: 'low', maxSeconds: 10 }),
      thresholdScore: points({
        path: threshold('object_cleanup'),
        default: 70,
        about: 'Runs above this pressure score.',
      }),
    },
    resourceRelease: {
      ...strategy('resource_release', {
        does: 'Close idle pool objects, handles and temporary files',
        risk: 'low',
        maxSeconds: 10,
      }),
      thresholdScore: points({
        path: threshold('resource_release'),
        default: 70,
        about: 'Runs above this pressure score.',
      }),
    },
    archive: {
      ...strategy('archive', { does: 'Move old memories to compressed archives', risk: 'medium', maxSeconds: 30 }),
      thresholdPercent: percent({
        path: threshold('archive'),
        default: 80,
        about: 'Runs when this share of a scope’s entry limit is in use.',
      }),
    },
    agentRestart: {
      ...strategy('agent_restart', {
        does: 'Restart an agent that leaks',
        risk: 'high',
        maxSeconds: 30,
        environment: 'ENABLE_AGENT_RESTART',
      }),
      thresholdBytes: megabytes({
        path: threshold('agent_restart'),
        default: 100,
        scales: true,
        about: 'Runs when a confirmed leak has grown by more.',
      }),
      maxPerHour: count({
        path: 'memory_management.optimization_strategies.agent_restart.max_restarts_per_hour',
        default: 2,
        max: 60,
        about: 'Restarts of one agent in an hour, at most.',
      }),
    },
  }),
};
