/** How the dashboard looks: themes, small screens, accessibility, and what is shipped. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { momentAt } from './node-figures.ts';
import { ask, NOW_MS, setStage, shows, textOf } from './stage.ts';

const stage = setStage();

describe('how it looks', () => {
  it('follows the system, and remembers what was chosen', async () => {
    const page = await stage.openPage({ colorScheme: 'dark' });
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await ground()).toBe('rgb(14, 20, 19)');
    await page.getByRole('button', { name: 'Theme: Auto. Change to Light.' }).click();
    expect(await ground()).toBe('rgb(245, 247, 246)');
    await page.reload();
    await page.getByRole('button', { name: 'Theme: Light. Change to Dark.' }).waitFor();
    expect(await ground()).toBe('rgb(245, 247, 246)');
    expect(page.complaints).toEqual([]);
  });

  it('fits a phone of 360 pixels without scrolling sideways', async () => {
    stage.server.status = {
      ...stage.server.status,
      store: { ...stage.server.status.store, path: `/${'a-long-folder/'.repeat(12)}tenure.db` },
    };
    const page = await stage.openPage({ viewport: { width: 360, height: 740 } });
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth');
    await ask(page, `${'averylongword'.repeat(12)}?`);
    await shows(page, 'Why this source');
    await page.getByLabel('24 h').check();
    await page.getByText('Values as a table').click();
    await page.locator('.values tbody tr').first().waitFor();
    expect(await overflow()).toBe(0);
    await stage.server.die();
    await shows(page, 'The server does not answer.');
    expect(await overflow()).toBe(0);
  });

  it('moves nothing for those who asked for stillness', async () => {
    const moving = (page: Page) =>
      page.evaluate('getComputedStyle(document.querySelector(".plot")).transitionDuration');
    expect(await moving(await stage.openPage({ reducedMotion: 'no-preference' }))).toBe('0.15s');
    expect(await moving(await stage.openPage({ reducedMotion: 'reduce' }))).toBe('0s');
  });

  it.each([
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 1280 },
    { colorScheme: 'light', width: 360 },
    { colorScheme: 'dark', width: 360 },
  ] as const)(
    'is accessible in $colorScheme at $width pixels, calm, in trouble and alone',
    async ({ colorScheme, width }) => {
      const page = await stage.openPage({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });
      await shows(page, 'Memory is calm.');
      expect(await barriers(page)).toEqual([]);

      stage.server.status = {
        ...stage.server.status,
        observeOnly: true,
        alerts: (['info', 'warning', 'error'] as const).map((severity) => ({
          ...{ kind: severity, severity, message: 'live heap 212 MB', sinceMs: NOW_MS, value: 1, threshold: 1 },
          ...{ unit: 'bytes', reminders: 0, holders: [], done: null },
        })),
      };
      stage.server.sendReading(momentAt(NOW_MS + 250, { score: 94 }));
      stage.server.sendEvent({
        type: 'pressure.alert_raised',
        atMs: NOW_MS,
        severity: 'error',
        message: 'live heap 212 MB',
        holders: [],
        done: null,
      });
      stage.server.answer = { ...stage.server.answer, confident: false };
      await ask(page, 'anything?');
      await page.getByText('Why this source').first().click();
      await page.getByText('Values as a table').click();
      await shows(page, '3 alerts');
      expect(await barriers(page)).toEqual([]);

      for (const score of [73, 83]) {
        stage.server.sendReading(momentAt(NOW_MS + 500 + score, { score }));
        await textOf(page, '.score').toContain(String(score));
        expect(await barriers(page)).toEqual([]);
      }

      stage.server.refusals.set('/ask', { status: 503, code: 'MEMORY_SHEDDING', detail: 'Memory is short.' });
      await ask(page, 'anything else?');
      await shows(page, 'MEMORY_SHEDDING');
      await stage.server.die();
      await shows(page, 'The server does not answer.');
      expect(await barriers(page)).toEqual([]);
    },
  );
});

it('would notice a barrier', async () => {
  const page = await stage.openPage();
  await page.evaluate('document.querySelector("footer").append(document.createElement("button"))');
  expect(await barriers(page)).toEqual(['button-name: footer > button']);
});

describe('what is shipped', () => {
  it('stays under 60 KB compressed, with nothing inline', () => {
    const files = readdirSync(stage.directory, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    const zippedBytes = files.reduce(
      (sum, { parentPath, name }) => sum + gzipSync(readFileSync(join(parentPath, name))).length,
      0,
    );
    expect(files.length).toBe(6);
    expect(zippedBytes).toBeLessThan(60 * 1024);
    expect(readFileSync(join(stage.directory, 'index.html'), 'utf8')).not.toMatch(
      /<style|style=|<script>|\son\w+=|\{\{/,
    );
  });
});

/** What axe finds, as `rule: element`. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
}
