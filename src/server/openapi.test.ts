import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { jsonOf, serveFake } from './test-server.ts';

type Json = { [key: string]: Json } & Json[];

async function documented(): Promise<Json> {
  await using served = await serveFake(new ManualClock());
  return (await jsonOf(await served.get('/openapi.json'))) as Json;
}

/** Every object in a tree. */
function* objectsIn(node: unknown): Generator<Json> {
  if (typeof node !== 'object' || node === null) return;
  yield node as Json;
  for (const child of Object.values(node)) yield* objectsIn(child);
}

describe('/openapi.json', () => {
  it('is what it was (write it anew with vitest -u)', async () => {
    await expect(`${JSON.stringify(await documented(), null, 2)}\n`).toMatchFileSnapshot('fixtures/openapi.json');
  });

  it('is OpenAPI 3.1: every reference leads somewhere, every operation answers, every path parameter is declared', async () => {
    const document = await documented();
    expect(document['openapi']).toBe('3.1.0');
    for (const { $ref } of objectsIn(document)) {
      if (typeof $ref !== 'string') continue;
      const found = String($ref)
        .slice(2)
        .split('/')
        .reduce((node, part) => node?.[part] as Json, document);
      expect(found, $ref).toBeTypeOf('object');
    }
    for (const [path, operations] of Object.entries(document['paths']!)) {
      for (const operation of Object.values(operations)) {
        expect(operation['summary'], path).toBeTypeOf('string');
        expect(Object.keys(operation['responses']!).length, path).toBeGreaterThan(0);
        const declared = (operation['parameters'] ?? []).filter((parameter) => String(parameter['in']) === 'path');
        expect(declared.map(({ name }) => `{${name}}`)).toEqual(path.match(/{\w+}/g) ?? []);
      }
    }
  });

  it('lists every route the server has', async () => {
    await using served = await serveFake(new ManualClock());
    const document = await documented();
    const listed = Object.entries(document['paths']!).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served_ = served.server.app.routes
      .filter(({ method, path }) => method !== 'ALL' && !['/*', '/openapi.json'].includes(path))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect([...new Set(served_)].sort()).toEqual(listed.sort());
  });
});
