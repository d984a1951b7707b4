import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { codeLayer } from './code-layer.ts';
import { environmentLayer } from './environment-layer.ts';
import { parseFileLayer } from './file-layer.ts';
import { keyList } from './keys.ts';
import { problemsOf } from './layer.ts';
import { configurationReference } from './reference.ts';

describe('the configuration reference', () => {
  it('is what docs/configuration.md says (write it anew with vitest -u)', async () => {
    await expect(configurationReference()).toMatchFileSnapshot('../../../docs/configuration.md');
  });

  it('has every key and every variable', () => {
    for (const { key, name } of keyList) {
      expect(configurationReference()).toContain(`\`${key.path.split('.').at(-1)}\``);
      expect(configurationReference()).toContain(`\`${name}\` |`);
      if (key.environment) expect(configurationReference()).toContain(`\`${key.environment}\``);
    }
  });

  it('says of each key that nothing follows yet that it has no effect', () => {
    const marked = configurationReference()
      .split('\n')
      .filter((line) => line.includes('*no effect yet in this version*.'))
      .map((line) => /`([\w.]+)` \|$/.exec(line)![1]);
    expect(marked).toEqual(keyList.filter(({ key }) => key.noEffectYet).map(({ name }) => name));
    expect(marked).toContain('leakDetection.thresholdBytes');
    expect(marked).toContain('strategies.garbageCollection.thresholdPercent');
    expect(marked).not.toContain('strategies.garbageCollection.enabled');
  });

  it('shows examples that work', async () => {
    const text = await readFile(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
    const block = (language: string) => text.match(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's'))![1]!;
    expect(problemsOf(await parseFileLayer(block('yaml'), 'docs'))).toEqual([]);
    const variables = Object.fromEntries(
      block('sh')
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    );
    const layer = environmentLayer(variables);
    expect(problemsOf(layer)).toEqual([]);
    expect(Object.keys(variables).every((name) => keyList.some(({ key }) => key.environment === name))).toBe(true);
    expect(problemsOf(codeLayer({ limits: { memoryBytes: 2 ** 31 } }))).toEqual([]);
  });
});
