import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from './load.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-file-layer-'));
  file = join(folder, 'tenure.yml');
});

afterEach(() => rm(folder, { recursive: true }));

const load = (isReload: boolean) => loadConfiguration({ environment: {}, workingDirectory: folder, isReload });

describe('a file that says nothing', () => {
  it('is fine at the start, and none is too', async () => {
    await writeFile(file, '');
    expect((await load(false)).path).toBe(file);
    await rm(file);
    expect((await load(false)).path).toBeNull();
  });

  it('is refused when it is loaded again, and so is none', async () => {
    await writeFile(file, ' \n');
    await expect(load(true)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      problems: [{ key: '', origin: { kind: 'file', file, line: 1, column: 1 } }],
    });
    await rm(file);
    await expect(load(true)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  });
});
