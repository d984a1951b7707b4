/** A transaction that was to be committed and was rolled back by the server instead. */
import { TenureError } from '../../base/errors.ts';

/**
 * A statement of the transaction had failed and its error was caught, so the server answered COMMIT with ROLLBACK: nothing was kept. Code
 * `PG_ROLLED_BACK`.
 */
export class PgRolledBackError extends TenureError {
  override readonly name = 'PgRolledBackError';

  constructor(pool: string) {
    super(
      'PG_ROLLED_BACK',
      `${pool}: a statement of the transaction failed and its error was swallowed, so nothing was committed. ` +
        'Let the error through, or guard the statement with a savepoint.',
      { details: { pool } },
    );
  }
}
