/** The time for labels such as `12 s ago`; moves once a second while somebody looks. */
import { signal } from '@preact/signals';
import { browserClock } from '../clock.ts';

export const now = signal(browserClock.nowMs());

/** Starts the seconds; returns what stops them. */
export function startSeconds(): () => void {
  now.value = browserClock.nowMs();
  let cancel = browserClock.after(1000, function tick() {
    now.value = browserClock.nowMs();
    cancel = browserClock.after(1000, tick);
  });
  return () => cancel();
}
