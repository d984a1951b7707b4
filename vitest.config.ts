import { defineConfig } from 'vitest/config';

/** Unit, property, simulation, integration, package and house-rule tests: everything that needs only Node and npm. */
export default defineConfig({
  test: {
    include: [
      'src/**/*.test.ts',
      'dashboard/**/*.test.{ts,tsx}',
      'test/{property,simulation,integration,tidy,package}/**/*.test.ts',
    ],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 2,
    restoreMocks: true,
  },
});
