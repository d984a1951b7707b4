/** Asking the help agent from the dashboard, in a real browser. */
import { describe, expect, it } from 'vitest';
import { ask, setStage, shows, textOf } from './stage.ts';

const stage = setStage();

describe('the question box', () => {
  it('answers with sources and why, by keyboard alone', async () => {
    const page = await stage.openPage();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the question box');
    await page.keyboard.press('Enter');
    await page.keyboard.type('How do I set a busy timeout?');
    await page.keyboard.press('Enter');
    await textOf(page, '.answer').toContain('lock_timeout_ms: 5000');
    expect(stage.server.questions).toEqual(['How do I set a busy timeout?']);
    await textOf(page, '.sources li').toMatch(
      /^Store and durability\s+score 11\.42\s+docs\/guide\/store-and-durability\.md › More than one process\s+Set the busy timeout/,
    );
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Why this source');
    await page.keyboard.press('Enter');
    await shows(page, 'has the words "busy", "timeout", "set"');
    await textOf(page, '[role=status]').toBe('Answered: How do I set a busy timeout?');
    expect(page.complaints).toEqual([]);
  });

  it('shows that it is looking, and can be stopped', async () => {
    const page = await stage.openPage();
    let release = () => {};
    stage.server.hold = new Promise((resolve) => {
      release = resolve;
    });
    await ask(page, 'anything?');
    await shows(page, 'Looking for “anything?”');
    await page.getByRole('button', { name: 'Cancel' }).click();
    release();
    await shows(page, 'Answers are quoted from the documents');
    expect(await page.locator('.answer').count()).toBe(0);
  });

  it('says when it is not sure, and when there is nothing', async () => {
    const page = await stage.openPage();
    stage.server.answer = { ...stage.server.answer, confident: false };
    await ask(page, 'warranty of a bicycle');
    await shows(page, 'Not sure.');
    stage.server.answer = { answer: '', sources: [], confident: false, tookMs: 1 };
    await ask(page, 'zebra');
    await shows(page, 'Nothing was found for “zebra”.');
  });

  it('says that an answer is from Tenure’s own documentation, and only then', async () => {
    const page = await stage.openPage();
    await ask(page, 'how do I set a busy timeout?');
    await textOf(page, '.answer').toContain('lock_timeout_ms');
    expect(await page.getByText('own documentation').count()).toBe(0);
    stage.server.answer = Object.assign({}, stage.server.answer, { fromOwnDocumentation: true });
    await ask(page, 'and the port?');
    await shows(page, 'From Tenure’s own documentation');
  });

  it('shows an error with its code, and tries again', async () => {
    const page = await stage.openPage();
    stage.server.refusals.set('/ask', {
      status: 503,
      code: 'MEMORY_SHEDDING',
      detail: 'Memory is short; try again in 5 s.',
    });
    await ask(page, 'anything?');
    await textOf(page, '.outcome').toMatch(/not answered\. Memory is short; try again in 5 s\. MEMORY_SHEDDING/);
    stage.server.refusals.clear();
    await page.getByRole('button', { name: 'Try again' }).click();
    await textOf(page, '.answer').toContain('Set the busy timeout');
  });

  it('takes answers for text, whatever they hold', async () => {
    const page = await stage.openPage();
    stage.server.answer = {
      ...stage.server.answer,
      answer: '<img src=x onerror="alert(1)"> and `<b>code</b>`\n\n```\n<script>1</script>\n```',
    };
    await ask(page, 'anything?');
    await textOf(page, '.answer').toContain('<img src=x onerror="alert(1)"> and <b>code</b>');
    expect(await page.locator('.answer').locator('img, b, script').count()).toBe(0);
  });
});
