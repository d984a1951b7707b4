import { defineConfig } from 'vitest/config';

/**
 * What needs the host: a real browser, a cgroup, an unprivileged child, a small file system, the data behind `TENURE_DATA`.
 *
 * One worker: these tests measure or squeeze the machine, and would disturb each other.
 */
export default defineConfig({
  test: {
    include: ['test/{host,browser}/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    restoreMocks: true,
  },
});
