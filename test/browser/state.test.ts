/** What the dashboard shows of a node, in a real browser. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { momentAt } from './node-figures.ts';
import { NOW_MS, SOON, setStage, shows, textOf } from './stage.ts';

const stage = setStage();

describe('what is shown', () => {
  it('shows the state of the node and follows it in place', async () => {
    const page = await stage.openPage();
    await shows(page, 'Memory is calm.');
    await textOf(page, '.score').toMatch(/\d+\s+of 100\s+low/);
    await page.evaluate('document.querySelectorAll("canvas").forEach((canvas) => (canvas.mark = true))');
    for (let step = 1; step <= 8; step++)
      stage.server.sendReading(momentAt(NOW_MS + step * 250, { score: 50 + step / 10 }));
    await textOf(page, '.figures strong').toBe('260.1 MB');
    await textOf(page, '.key').toContain('260.1 MB');
    expect(await page.evaluate('[...document.querySelectorAll("canvas")].map((canvas) => canvas.mark)')).toEqual([
      true,
      true,
    ]);
    expect(page.complaints).toEqual([]);
  });

  it('shows what the books do not explain, and whether new work is taken', async () => {
    const figure = (page: Page, name: string) => textOf(page, `.figures div:has(> dt:text-is("${name}"))`);
    const calm = await stage.openPage();
    await figure(calm, 'Drift').toMatch(/^Drift\s+5\.2 MB\s+grown, and nobody accounts for it$/);
    await figure(calm, 'Retained').toMatch(/^Retained\s+12\.0 MB\s+freed, and kept by the allocator$/);
    await figure(calm, 'Status').toMatch(/^Status\s+OK\s+new work is taken$/);
    stage.server.status = { ...stage.server.status, status: 'CRITICAL', shedding: true };
    const pressed = await stage.openPage();
    await figure(pressed, 'Status').toMatch(/^Status\s+CRITICAL\s+new work is refused$/);
  });

  it('shows how caches, pools, sessions and admission do, and no kind that there is none of', async () => {
    const row = (page: Page, name: string) => textOf(page, `.holders tbody tr:has(th:has-text("${name}"))`);
    const page = await stage.openPage();
    await row(page, 'answers').toMatch(/^answers\s+hit-density\s+88\.4 %\s+4,812\s+46\.2 MB of 50 MB\s+7,142$/);
    await row(page, 'llm').toMatch(/^llm\s+6\s+7 of 10\s+0\s+38 ms$/);
    await row(page, 'sessions').toMatch(/412 of 500\s+31\.5 MB\s+1,243\s+1,655$/);
    await row(page, 'Requests').toMatch(/^Requests\s+takes work\s+5\s+3\.4 MB\s+103,224\s+43$/);
    stage.server.status = { ...stage.server.status, caches: [], pools: [], sessions: [] };
    const fresh = await stage.openPage();
    await shows(fresh, 'Holders at work');
    await expect.poll(() => fresh.locator('.holders').count()).toBe(1);
  });

  it('says what could be gained, and nothing of it when there is nothing', async () => {
    const page = await stage.openPage();
    await textOf(page, '.opportunities').toMatch(
      /^What could be gained\s+garbage on the heap: 18 MB\s+idle in recall cache: 9 MB$/,
    );
    stage.server.status = { ...stage.server.status, opportunities: [] };
    const content = await stage.openPage();
    await shows(content, 'Status');
    expect(await content.locator('.opportunities').count()).toBe(0);
  });

  it('draws the lines it has a key for', async () => {
    const page = await stage.openPage();
    await textOf(page, '.key').toContain('MB');
    const drawn = await page.evaluate(`[...document.querySelectorAll('canvas')].map((canvas) => {
      const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      const colours = new Set();
      for (let at = 0; at < pixels.length; at += 4) if (pixels[at + 3] > 250) colours.add([...pixels.slice(at, at + 3)].join());
      return [...colours];
    })`);
    const colourOf = (line: string) =>
      page.evaluate(`getComputedStyle(document.documentElement).getPropertyValue('--${line}').match(/\\d+/g).join()`);
    const [bytes, score] = drawn as [string[], string[]];
    for (const line of ['anon', 'heap', 'limit']) expect(bytes).toContain(await colourOf(line));
    expect(score).toContain(await colourOf('score'));
  });

  it('says a change of level once, to everyone', async () => {
    const page = await stage.openPage();
    await shows(page, 'Memory is calm.');
    await page.evaluate(`{
      globalThis.spoken = [];
      const region = document.querySelector('[role=status]');
      new MutationObserver(() => spoken.push(region.textContent)).observe(region, { subtree: true, characterData: true, childList: true });
    }`);
    for (let step = 1; step <= 6; step++) {
      stage.server.sendReading(momentAt(NOW_MS + step * 250, { score: 83 }));
      await textOf(page, '.standing h2').toBe('Memory is under pressure.');
    }
    await expect.poll(() => page.title(), SOON).toBe('high: Tenure');
    stage.server.sendReading(momentAt(NOW_MS + 5000, { score: 97 }));
    await textOf(page, '.standing h2').toBe('Memory is almost exhausted.');
    await expect
      .poll(() => page.evaluate('spoken'), SOON)
      .toEqual(['Memory is under pressure.', 'Memory is almost exhausted.']);
  });

  it('tells events and alerts as they come', async () => {
    const page = await stage.openPage();
    await shows(
      page,
      /Pressure high: container anon 431.MB of 512.MB; largest: store page cache 64.MB, recall cache 58.MB\./,
    );
    const message = 'memory in use 94 %, threshold 80 %, since 2026-11-20T12:00:00.000Z';
    const alert = { kind: 'memory_usage_percent', severity: 'error' as const, message, sinceMs: NOW_MS };
    stage.server.status = {
      ...stage.server.status,
      alerts: [{ ...alert, value: 94, threshold: 80, unit: 'percent', reminders: 0, holders: [], done: null }],
    };
    const told = { holders: ['recall cache 41 MB'], done: 'reclaimed 12 MB' };
    stage.server.sendEvent({ type: 'pressure.alert_raised', atMs: Date.now(), ...alert, ...told });
    await textOf(page, '.alerts').toMatch(/One alert\s+error\s+memory in use 94 %, threshold 80 %\s+for /);
    await textOf(page, '.events li').toMatch(
      /^Alert: memory in use 94 %, threshold 80 %; held by recall cache 41 MB; reclaimed 12 MB\.\s+(just now|\d+ s ago) · /,
    );
    const remembered = { type: 'agent_memory.remembered', count: 1, tenant: 'acme' };
    for (let time = 1; time <= 3; time++) stage.server.sendEvent({ ...remembered, atMs: Date.now() });
    await textOf(page, '.events li').toMatch(/^Remembered 1 memory of acme\.\s+.* · 3 times$/);
  });

  it('shows what each consumer holds, would give back and keeps', async () => {
    const page = await stage.openPage({ reducedMotion: 'reduce' });
    await expect.poll(() => page.locator('.consumers li').count(), SOON).toBe(3);
    await textOf(page, '.consumers li').toMatch(
      /^store page cache cache of the store\s+64\.0 MB\s+56 MB reclaimable · minimum 8 MB · peak 64 MB$/,
    );
    const widths =
      await page.evaluate(`[...document.querySelectorAll('.consumers li:first-child .bar [data-part]')].map(
      (part) => Math.round((1000 * part.getBoundingClientRect().width) / part.parentElement.getBoundingClientRect().width) / 10)`);
    expect((widths as number[]).slice(0, 2)).toEqual([12.5, 87.5]);
  });

  it('tells consumers of one name apart by their budgets', async () => {
    const { budget } = stage.server.status;
    const [cache] = budget.consumers;
    const children = ['acme', 'globex'].map((tenant) => ({
      ...{ ...budget, name: tenant, path: `node/${tenant}`, children: [] },
      consumers: [{ ...cache!, name: 'cache', path: `node/${tenant}/cache` }],
    }));
    stage.server.status = { ...stage.server.status, budget: { ...budget, consumers: [], children } };
    const page = await stage.openPage();
    const names = async () =>
      (await page.locator('.consumer-name').allInnerTexts()).map((name) => name.split(' cache ')[0]);
    await expect.poll(names, SOON).toEqual(['acme /', 'globex /']);
  });

  it('has words for what is not there yet', async () => {
    stage.server.hasHistory = false;
    stage.server.events = [];
    stage.server.status = {
      ...stage.server.status,
      budget: { ...stage.server.status.budget, consumers: [], reservedBytes: 0 },
      store: { ...stage.server.status.store, memories: 0 },
    };
    const page = await stage.openPage();
    await shows(page, 'A consumer is whatever holds bytes under the budget');
    await shows(page, 'Nothing to tell yet.');
    await shows(page, 'Nothing has been learned yet.');
    await shows(page, 'The line begins with the first readings.');
    await page.getByLabel('7 days').check();
    await shows(page, 'No stored readings in this window yet.');
    expect(page.complaints).toEqual([]);
  });

  it('marks a node that only observes', async () => {
    stage.server.status = { ...stage.server.status, observeOnly: true };
    const page = await stage.openPage();
    await textOf(page, '.observe').toBe('Observe only');
  });
});

describe('the chart', () => {
  it('shows stored history by window, and as a table', async () => {
    const page = await stage.openPage();
    await page.getByLabel('24 h').check();
    await shows(page, 'Peak pressure');
    await page.getByText('Values as a table').click();
    await expect.poll(() => page.locator('.values tbody tr').count(), SOON).toBe(12);
    await textOf(page, '.values tbody tr').toMatch(
      /^\w+,? \d+ \w+, \d\d:\d\d\s+\d+\.\d MB\s+\d+\.\d MB\s+512 MB\s+\d+$/,
    );
    const described = await page
      .getByRole('img', { name: /^Chart of memory and pressure, last 24 hours/ })
      .getAttribute('aria-label');
    expect(described).toMatch(
      /anonymous memory from \d+.MB to \d+.MB, at most \d+.MB; limit 512.MB; pressure \d+, at most \d+\.$/,
    );
  });

  it('tells the values under the pointer', async () => {
    const page = await stage.openPage();
    await page.getByLabel('24 h').check();
    await shows(page, 'Peak pressure');
    await page
      .locator('.u-over')
      .first()
      .hover({ position: { x: 40, y: 60 } });
    await textOf(page, '.key-time').toMatch(/^\w+,? \d+ \w+, \d\d:\d\d$/);
    await page.getByRole('heading', { name: 'Recent events' }).hover();
    await textOf(page, '.key-time').toBe('');
  });

  it('says why history could not be loaded, and tries again', async () => {
    const page = await stage.openPage();
    stage.server.refusals.set('/monitoring/history', {
      status: 503,
      code: 'STORE_LOCKED',
      detail: 'The store is locked.',
    });
    await page.getByLabel('1 h').check();
    await textOf(page, '.trace .failure').toMatch(
      /Stored readings could not be loaded\. The store is locked\. STORE_LOCKED/,
    );
    await shows(page, 'Nothing to draw.');
    stage.server.refusals.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await shows(page, 'Peak pressure');
    await expect.poll(() => page.locator('.failure').count(), SOON).toBe(0);
  });
});
