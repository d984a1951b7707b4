import { getMaxListeners } from 'node:events';
import { expect, it, vi } from 'vitest';
import { listenForAbort } from './abort.ts';
import { nextTurn } from './clock.ts';

it('takes any number of listeners without a warning', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const controller = new AbortController();
  let heard = 0;
  for (let count = 0; count < 100; count++) listenForAbort(controller.signal, () => void heard++);
  expect(getMaxListeners(controller.signal)).toBe(Number.POSITIVE_INFINITY);
  controller.abort();
  await nextTurn();
  expect(heard).toBe(100);
  expect(warn).not.toHaveBeenCalled();
});

it('takes signals that are not of Node', () => {
  const added: unknown[] = [];
  const foreign = { addEventListener: (...listened: unknown[]) => added.push(listened) };
  const listener = () => {};
  listenForAbort(foreign as never, listener);
  expect(added).toEqual([['abort', listener, { once: true }]]);
});
