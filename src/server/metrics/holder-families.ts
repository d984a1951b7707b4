/**
 * What lives under the budget, as metrics: caches, pools, sessions and admission, each labelled by its name.
 *
 * `memory_pool_size` and `memory_pool_borrowed` are the names of the specification.
 */
import type { NodeStatus } from '../../platform/node-status.ts';
import type { Family, Sample } from './exposition.ts';

type Holders = Pick<NodeStatus, 'caches' | 'pools' | 'sessions' | 'admission'>;

export function holderFamilies({ caches, pools, sessions, admission }: Holders): Family[] {
  const cache = familiesOf(caches, 'cache');
  const pool = familiesOf(pools, 'pool');
  const session = familiesOf(sessions, 'pool');
  const one = familiesOf([{ name: '', ...admission }], null);
  return [
    pool.gauge('memory_pool_size', 'Objects alive in the pool.', ({ size }) => size),
    pool.gauge('memory_pool_borrowed', 'Objects lent now.', ({ borrowed }) => borrowed),
    pool.gauge('tenure_pool_max', 'Objects there may be.', ({ max }) => max),
    pool.gauge('tenure_pool_waiting', 'Who waits for an object.', ({ waiting }) => waiting),
    pool.counter('tenure_pool_borrows_total', 'Leases granted.', ({ borrows }) => borrows),
    pool.counter('tenure_pool_timeouts_total', 'Waits that ended without an object.', ({ timeouts }) => timeouts),
    pool.counter('tenure_pool_create_errors_total', 'Objects that could not be made.', (each) => each.createErrors),
    pool.counter('tenure_pool_held_too_long_total', 'Leases reported as held too long.', (each) => each.heldTooLong),
    pool.counter('tenure_pool_abandoned_total', 'Leases dropped without being returned.', (each) => each.abandoned),
    cache.gauge('tenure_cache_bytes', 'What the entries take.', ({ bytes }) => bytes),
    cache.gauge('tenure_cache_entries', 'Entries held.', ({ entries }) => entries),
    cache.counter('tenure_cache_hits_total', 'Reads that found their key.', ({ hits }) => hits),
    cache.counter('tenure_cache_misses_total', 'Reads that did not.', ({ misses }) => misses),
    cache.byCause('tenure_cache_evictions_total', 'Entries that left.', ({ evictions }) => evictions),
    cache.byCause('tenure_cache_refusals_total', 'Values that were not kept.', ({ refusals }) => refusals),
    session.gauge('tenure_sessions_live', 'Sessions in memory.', ({ live }) => live),
    session.gauge('tenure_sessions_bytes', 'What they take there.', ({ bytes }) => bytes),
    session.counter('tenure_sessions_spilled_total', 'Sessions that left memory for the disk.', (each) => each.spilled),
    session.counter('tenure_sessions_loaded_total', 'Sessions read from the disk.', ({ loaded }) => loaded),
    session.counter('tenure_sessions_conflicts_total', 'Writes made from an old version.', (each) => each.conflicts),
    session.counter('tenure_sessions_write_failures_total', 'Writes the store refused.', (each) => each.writeFailures),
    one.counter('tenure_admitted_total', 'Work that was taken.', ({ admitted }) => admitted),
    one.byCause('tenure_refused_total', 'Work that was refused.', ({ refused }) => refused),
    one.gauge('tenure_admission_open_tickets', 'Work under way.', ({ openTickets }) => openTickets),
    one.gauge('tenure_admission_open_bytes', 'What it may hold.', ({ openBytes }) => openBytes),
    one.gauge('tenure_admission_circuit_open', '1 while work is refused at once.', ({ circuit }) =>
      circuit === 'open' ? 1 : 0,
    ),
  ];
}

/** Makes families of which each of `things` has a series; `label` says what its name is called. */
function familiesOf<T extends { readonly name: string }>(things: readonly T[], label: string | null) {
  const labels = (thing: T) => (label === null ? {} : { [label]: thing.name });
  const family = (type: Family['type']) => (name: string, help: string, figure: (thing: T) => number) => {
    const samples = things.map((thing) => ({ labels: labels(thing), value: figure(thing) }));
    return { name, help, type, samples };
  };
  return {
    gauge: family('gauge'),
    counter: family('counter'),
    byCause(name: string, help: string, figures: (thing: T) => Readonly<Record<string, number>>): Family {
      const samples = things.flatMap((thing): Sample[] =>
        Object.entries(figures(thing)).map(([cause, value]) => ({ labels: { ...labels(thing), cause }, value })),
      );
      return { name, help, type: 'counter', samples };
    },
  };
}
