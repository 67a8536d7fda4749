import knex, { type Knex } from 'knex';
import pg from 'pg';
import { type Logger, throttledWarn } from '../log.js';
import { TRANSACTION_SETTINGS, watchedPool } from './silent-connections.js';

/** The database, or a transaction on it: every repository function takes it as its first argument. */
export type Db = Knex;

/** The same for whatever asks in SQL alone, which every kind of transaction takes. */
export type SqlRunner = Pick<Knex, 'raw'>;

// int8 as a number: seq, counts and milliseconds stay far below 2^53. Numeric stays a string (prices are decimal).
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** Opens the pool. `onConnect` failures and idle-client errors are logged, never thrown into the void. */
export function connectDatabase(url: string, poolSize: number, log: Logger): Knex {
  const db = knex({
    client: 'pg',
    connection: {
      ...{ connectionString: url, application_name: 'switchboard', keepAlive: true, ...TRANSACTION_SETTINGS },
      // Sends what it is given without waiting for earlier answers: see statement.ts.
      pipeline: true,
    } as Knex.PgConnectionConfig,
    pool: { ...watchedPool(url, poolSize), acquireTimeoutMillis: 10_000, propagateCreateError: false },
    acquireConnectionTimeout: 10_000,
    log: intoLog(log),
  });
  db.on('error', (error: unknown) => log.warn({ err: error }, 'database connection'));
  return db;
}

/** Knex would print on stdout, a stack at a time; the ready line alone belongs there. */
function intoLog(log: Logger): NonNullable<Knex.Config['log']> {
  const warn = throttledWarn(log, 'database connection');
  const tell = (message: unknown): void => warn(String(message).split('\n', 1)[0]);
  return { warn: tell, error: tell, deprecate: tell, debug: () => undefined };
}
