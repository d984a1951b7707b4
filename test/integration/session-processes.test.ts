/** Twenty writers in each of three processes, on sessions of their own and on one they share, all killed: nothing acknowledged is lost. */
import { afterEach, describe, expect, it } from 'vitest';
import { MIB } from '../../src/base/bytes.ts';
import { Budget } from '../../src/budget/budget.ts';
import { SessionPool } from '../../src/holders/session/session-pool.ts';
import { TemporaryStore } from '../../src/testing/temporary-store.ts';
import { type Child, runTypeScript } from '../child-process.ts';

const PROCESSES = ['a', 'b', 'c'];
const ACKNOWLEDGED = 400;

const children: Child[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) await child[Symbol.asyncDispose]();
});

describe('sessions of several processes that are killed', () => {
  it('have every change that was acknowledged', async () => {
    await using temporary = await TemporaryStore.create();
    for (const name of PROCESSES) {
      children.push(
        await runTypeScript(new URL('../session-child.ts', import.meta.url), { args: [temporary.path, name] }),
      );
    }
    for (const child of children) {
      await child.printed((stdout) => stdout.split('\n').length > ACKNOWLEDGED);
      child.kill('SIGKILL');
    }
    const endings = await Promise.all(children.map((child) => child.ended));
    expect(endings.map(({ signal, stderr }) => [signal, stderr])).toEqual(PROCESSES.map(() => ['SIGKILL', '']));
    const acknowledged = endings.flatMap(({ stdout }) =>
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => line.split(' ') as [id: string, version: string, item: string]),
    );
    expect(acknowledged.length).toBeGreaterThanOrEqual(PROCESSES.length * ACKNOWLEDGED);

    using budget = new Budget({ limitBytes: 64 * MIB });
    await using pool = new SessionPool<{ n: number }, string>({ store: await temporary.openSessionStore(), budget });
    for (const id of new Set(acknowledged.map(([session]) => session))) {
      const session = (await pool.get(id))!;
      const ofThis = acknowledged.filter(([each]) => each === id);
      expect(session.version).toBeGreaterThanOrEqual(Math.max(...ofThis.map(([, version]) => Number(version))));
      const items = new Set(session.items);
      expect(ofThis.filter(([, , item]) => item !== '-' && !items.has(item))).toEqual([]);
      expect(items.size, 'an item was appended twice').toBe(session.items.length);
      if (id !== 'shared') expect(session.value.n).toBeGreaterThanOrEqual(session.items.length);
    }
    // Every version of the shared session was made by one of them: its items are its changes.
    const shared = (await pool.get('shared'))!;
    expect(shared.version).toBe(shared.items.length + 1);
  }, 60_000);
});
