/** A headless Chromium, and pages that remember every complaint of the browser. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The system's Chromium, or the one `TENURE_CHROMIUM` names, with a profile of its own. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env['TENURE_CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
}

/** Builds the page from its sources into a folder of its own, so the tests see what is written and disturb no other build. */
export function buildPage(): Disposable & { readonly directory: string } {
  const directory = mkdtempSync(join(tmpdir(), 'tenure-dashboard-'));
  execFileSync(process.execPath, ['dashboard/build.mjs', directory]);
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings the browser has written to its console, policy violations among them. */
  readonly complaints: readonly string[];
}

/** Opens `url` in a context of its own. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`${error}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
