/** The whole way: the built dashboard, the real server, a real node with a document, in a real browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HELP_SCOPE } from '../../src/agents/help/help-agent.ts';
import { Tenure } from '../../src/platform/tenure.ts';
import { createServer } from '../../src/server/server.ts';
import { buildPage, launchBrowser, visit } from './browser.ts';
import { ask, SOON, shows, textOf } from './stage.ts';

it('shows a node as it is, and answers from what it learned', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-node-'));
  try {
    using built = buildPage();
    await using browser = await launchBrowser();
    await using node = await Tenure.open({ directory, environment: {}, configuration: { server: { port: 0 } } });
    await using server = createServer({ node, dashboardDirectory: built.directory });
    const { address, port } = await server.listen();
    await node.memory.remember('The warranty of a tenured bicycle lasts forty years.', {
      scope: HELP_SCOPE,
      metadata: { title: 'Bicycles', path: 'bicycles.md' },
    });

    await using seen = await visit(browser, `http://${address}:${port}/`);
    const { page } = seen;
    await shows(page, /^Live$/);
    await textOf(page, '.standing h2').toMatch(/^Memory is /);
    await textOf(page, '.figures strong').toMatch(/^\d+\.\d [MG]B$/);
    await shows(page, 'recall cache');
    await shows(page, 'Remembered 1 memory of default.');
    await ask(page, 'How long does the warranty of a bicycle last?');
    await textOf(page, '.answer').toBe('The warranty of a tenured bicycle lasts forty years.');
    await textOf(page, '.sources li').toMatch(/^Bicycles\s+score \d+\.\d\d\s+bicycles\.md/);
    for (const span of ['1 h', '7 days']) await page.getByLabel(span).check();
    await expect.poll(() => page.locator('.plot').getAttribute('aria-busy'), SOON).toBe('false');
    expect(seen.complaints).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
