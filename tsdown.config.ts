import { defineConfig } from 'tsdown';

/**
 * The package as it is published: ES modules with types, one output file for each source file.
 *
 * Output mirrors `src/`, so a path a module takes relative to itself (`../../package.json`, `../dashboard`) is the same before and
 * after the build, a stack trace names the file a reader will find, and importing one subpath loads only what it needs.
 * See docs/decisions/001-build-and-set-up.md.
 */
export default defineConfig({
  entry: [
    'src/index.ts',
    'src/testing.ts',
    'src/cli/main.ts',
    'src/integrations/pg.ts',
    'src/integrations/llm.ts',
    'src/integrations/http.ts',
  ],
  outDir: 'dist',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  unbundle: true,
  dts: true,
  clean: true,
  report: false,
  logLevel: 'warn',
});
