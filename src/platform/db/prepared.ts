import type { Knex } from 'knex';
import type { Db } from './connect.js';

/** A statement of a text that never varies, by the name under which a connection keeps its plan. */
export interface PreparedStatement {
  readonly name: string;
  readonly sql: string;
}

/** Runs a statement that each connection plans once: for those whose planning costs more than their running. */
export const runPrepared = <T>(db: Db, statement: PreparedStatement, bindings: readonly Knex.RawBinding[]) =>
  db.raw<T>(statement.sql, bindings).options({ name: statement.name });
