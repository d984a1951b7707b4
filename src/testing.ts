/**
 * The public entry `tenure/testing`: what a user's tests need to run against Tenure. Re-exports only.
 */

export { type Fault, type FaultRates, faulty, InjectedFault } from './testing/faulty.ts';
export { ManualClock } from './testing/manual-clock.ts';
