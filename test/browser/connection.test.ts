/** The dashboard and a server that fails, dies and comes back. */
import { describe, expect, it } from 'vitest';
import { momentAt } from './node-figures.ts';
import { NOW_MS, SOON, setStage, shows, textOf } from './stage.ts';

const stage = setStage();

describe('the connection', () => {
  it('says when the server is gone, and is live again when it is back', async () => {
    const page = await stage.openPage();
    // History that was still being loaded would fail with the server, and rightly say so.
    await page.locator('.plot[aria-busy=false]').waitFor();
    await stage.server.die();
    await textOf(page, '.standing h2').toBe('The server does not answer.');
    await textOf(page, '.reason').toMatch(/^Last known: container anon \d+ MB of 512 MB$/);
    await textOf(page, '.connection').toMatch(/No answer since \d\d:\d\d:\d\d\. Trying again/);
    expect(await page.locator('.failure').count()).toBe(0);
    await stage.server.listen();
    await shows(page, 'Memory is calm.');
    await textOf(page, '[role=status]').toBe('Connected again.');
    stage.server.sendReading(momentAt(NOW_MS + 60_000, { score: 61 }));
    await textOf(page, '.score').toMatch(/^Pressure score\s+61/);
  });

  it('tries at once when asked to', async () => {
    const page = await stage.openPage();
    await page.clock.install();
    await page.reload();
    await shows(page, 'Memory is calm.');
    // From here on the page's own wait would never end.
    await page.clock.pauseAt(Date.now() + 5000);
    await stage.server.die();
    await shows(page, 'The server does not answer.');
    await stage.server.listen();
    await page.getByRole('button', { name: 'Try now' }).click();
    await shows(page, 'Memory is calm.');
    expect(stage.server.listeners).toBe(1);
  });

  it('lets go while nobody looks', async () => {
    const page = await stage.openPage();
    const look = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await look(true);
    await expect.poll(() => stage.server.listeners, SOON).toBe(0);
    await textOf(page, '.connection').toBe('Paused');
    await look(false);
    await shows(page, 'Memory is calm.');
    await expect.poll(() => stage.server.listeners, SOON).toBe(1);
    expect(page.complaints).toEqual([]);
  });

  it('shows what works when a part does not', async () => {
    stage.server.refusals.set('/monitoring/memory', { status: 500, code: 'INTERNAL', detail: 'Something broke.' });
    stage.server.refusals.set('/monitoring/events', { status: 500, code: 'INTERNAL', detail: 'Something broke.' });
    const page = await stage.openPage();
    await shows(page, 'Memory is calm.');
    await textOf(page, '.figures .failure').toContain('INTERNAL');
    await shows(page, 'Earlier events could not be loaded.');
  });
});
