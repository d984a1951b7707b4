/**
 * V8's full garbage collection, in the form that works best on the Node we run on.
 *
 * V8 hands out `gc()` after the fact: the flag set at run time shows in a new context. From V8 12 on (Node 22) the form
 * `flavor: 'last-resort'` also gives the emptied pages back, which Node 24 otherwise keeps for about 8 s; it takes half as long again.
 * On Node 20 the form with options leaves most garbage where it is. So a canary, an object let go just before, is looked for
 * afterwards: if it is still there, the plain form follows at once, and after two such failures it is the only one used.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Gc = (options?: { type: 'major'; execution: 'sync'; flavor: 'last-resort' }) => void;

const MISSED_CANARIES = 2;

/**
 * A function that collects all garbage, synchronously.
 *
 * @throws when V8 does not hand out its collector.
 */
export function v8Collect(): () => void {
  const gc = exposedGc();
  let returnsPages = Number.parseInt(process.versions.v8, 10) >= 12;
  let missedCanaries = 0;
  // A weak reference keeps its object until the current job ends, so the canary for one collection is made after the one before.
  let canary = newCanary();
  return () => {
    if (!returnsPages) {
      gc();
      return;
    }
    canary.target = null;
    gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    if (canary.watch.deref() !== undefined) {
      returnsPages = ++missedCanaries < MISSED_CANARIES;
      gc();
    }
    canary = newCanary();
  };
}

function exposedGc(): Gc {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Gc;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

function newCanary(): { target: object | null; readonly watch: WeakRef<object> } {
  const target = {};
  return { target, watch: new WeakRef(target) };
}
