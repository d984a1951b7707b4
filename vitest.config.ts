import { defineConfig } from 'vitest/config';

/** Unit, property, simulation and integration tests: everything that needs only Node and npm. */
export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/{property,simulation,integration,tidy,package}/**/*.test.ts'],
    setupFiles: [],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    restoreMocks: true,
  },
});
