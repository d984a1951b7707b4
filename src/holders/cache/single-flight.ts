/**
 * One computation for each key, however many ask for it.
 *
 *   first caller ──▶ running ──▶ result to all callers; kept, unless the key was touched meanwhile
 *                       │ all callers gone ──▶ aborted
 *
 * Each caller may leave alone, by its signal; the computation has a signal of its own that aborts when the last one has left. What
 * throws is not kept: the next caller tries again. A key that is set, deleted or cleared while it is being computed is *disowned*: the
 * callers that wait still get the result, but it is old news and not kept, and who asks from then on starts anew.
 *
 * A computation that asks for its own key waits for itself: nobody can help it but its signal.
 */
import { listenForAbort } from '../../base/abort.ts';

/** Computes a value; stops when the signal aborts, if it can. */
export type Compute<V> = (signal: AbortSignal) => Promise<V> | V;

interface Caller<V> {
  readonly resolve: (value: V) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly onAbort: () => void;
}

interface Flight<V> {
  readonly callers: Set<Caller<V>>;
  readonly aborter: AbortController;
}

/** What becomes of a computation. */
export interface FlightEnd<K, V> {
  started(): void;
  /** It returned, and nobody touched the key. What it throws (the budget is closed, say) reaches all who wait. */
  kept(key: K, value: V): void;
  /** It returned too late. */
  late(): void;
  failed(): void;
}

export class SingleFlight<K, V> {
  readonly #flights = new Map<K, Flight<V>>();
  /** Under way although their key was touched. */
  readonly #disowned = new Set<Flight<V>>();

  /** Keys being computed. */
  get size(): number {
    return this.#flights.size;
  }

  /** Computations under way, disowned ones among them. */
  get running(): number {
    return this.#flights.size + this.#disowned.size;
  }

  has(key: K): boolean {
    return this.#flights.has(key);
  }

  /** Waits for the computation of `key`, starting it if there is none. */
  join(key: K, options: { compute: Compute<V>; end: FlightEnd<K, V>; signal: AbortSignal | undefined }): Promise<V> {
    const { compute, end, signal } = options;
    const known = this.#flights.get(key);
    const flight = known ?? { callers: new Set(), aborter: new AbortController() };
    return new Promise<V>((resolve, reject) => {
      const onAbort = () => {
        flight.callers.delete(caller);
        if (flight.callers.size === 0) {
          this.#forget(key, flight);
          flight.aborter.abort(signal?.reason);
        }
        reject(signal?.reason);
      };
      const caller: Caller<V> = { resolve, reject, signal, onAbort };
      flight.callers.add(caller);
      if (signal) listenForAbort(signal, onAbort);
      if (known === undefined) {
        this.#flights.set(key, flight);
        end.started();
        void this.#run(key, flight, { compute, end });
      }
    });
  }

  /** What is computed for `key` now is not to be kept. */
  disown(key: K): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) return;
    this.#flights.delete(key);
    this.#disowned.add(flight);
  }

  disownAll(): void {
    for (const flight of this.#flights.values()) this.#disowned.add(flight);
    this.#flights.clear();
  }

  /** Ends all: callers are rejected with `reason` at once, computations aborted. */
  abortAll(reason: unknown): void {
    const flights = [...this.#flights.values(), ...this.#disowned];
    this.#flights.clear();
    this.#disowned.clear();
    for (const flight of flights) {
      for (const caller of takeCallers(flight)) caller.reject(reason);
      flight.aborter.abort(reason);
    }
  }

  async #run(key: K, flight: Flight<V>, options: { compute: Compute<V>; end: FlightEnd<K, V> }): Promise<void> {
    const { compute, end } = options;
    let value: V;
    try {
      value = await compute(flight.aborter.signal);
    } catch (error) {
      end.failed();
      this.#forget(key, flight);
      for (const caller of takeCallers(flight)) caller.reject(error);
      return;
    }
    const isLate = this.#flights.get(key) !== flight;
    this.#forget(key, flight);
    try {
      if (isLate) end.late();
      else end.kept(key, value);
    } catch (error) {
      for (const caller of takeCallers(flight)) caller.reject(error);
      return;
    }
    for (const caller of takeCallers(flight)) caller.resolve(value);
  }

  #forget(key: K, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    this.#disowned.delete(flight);
  }
}

/** The callers still waiting, without their listeners. */
function takeCallers<V>(flight: Flight<V>): Caller<V>[] {
  const callers = [...flight.callers];
  flight.callers.clear();
  for (const { signal, onAbort } of callers) signal?.removeEventListener('abort', onAbort);
  return callers;
}
