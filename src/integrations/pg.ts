/**
 * The public entry `tenure/pg`: PostgreSQL connections of `pg` in a pool under the budget. Re-exports only.
 */
export { PgPool, type PgPoolOptions, type PgReset, type PgTransactionOptions } from './pg/pg-pool.ts';
export { PgRolledBackError } from './pg/rolled-back.ts';
