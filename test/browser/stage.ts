/** Sets the stage for tests of the dashboard: the page as built, a browser, and for each test a server of its own. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { buildPage, launchBrowser, type Visit, visit } from './browser.ts';
import { FixtureServer } from './fixture-server.ts';

/** When the story of the imagined node ends. */
export const NOW_MS = Date.UTC(2026, 10, 20, 12);

/** For `expect.poll`: the browser is another process, and busy machines are slow. */
export const SOON = { timeout: 10_000, interval: 50 };

export interface Stage {
  readonly server: FixtureServer;
  /** Folder of the built page. */
  readonly directory: string;
  /** Opens the page and waits until it is live. */
  openPage(options?: BrowserContextOptions): Promise<Page & { readonly complaints: readonly string[] }>;
}

/** Registers the hooks; the stage is set inside tests only. */
export function setStage(): Stage {
  let built: ReturnType<typeof buildPage>;
  let browser: Browser;
  let server: FixtureServer;
  let visits: Visit[] = [];

  beforeAll(async () => {
    built = buildPage();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser.close();
    built[Symbol.dispose]();
  });
  beforeEach(async () => {
    server = await FixtureServer.start(built.directory, NOW_MS);
  });
  afterEach(async () => {
    for (const each of visits) await each[Symbol.asyncDispose]();
    visits = [];
    await server[Symbol.asyncDispose]();
  });

  return {
    get server() {
      return server;
    },
    get directory() {
      return built.directory;
    },
    async openPage(options = {}) {
      const seen = await visit(browser, server.url, options);
      visits.push(seen);
      await shows(seen.page, /^Live$/);
      return Object.assign(seen.page, { complaints: seen.complaints });
    },
  };
}

/** Waits until `text` can be seen. */
export function shows(page: Page, text: string | RegExp): Promise<void> {
  return page.getByText(text).first().waitFor();
}

/** Expects of the text of the first element that matches, as soon as it holds. */
export function textOf(page: Page, selector: string) {
  const text = async () => (await page.locator(selector).allInnerTexts())[0]?.replaceAll('\u00a0', ' ');
  return expect.poll(text, SOON);
}

/** Types the question and presses the button. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.getByLabel('Your question').fill(question);
  await page.getByRole('button', { name: 'Ask', exact: true }).click();
}
