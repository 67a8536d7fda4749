/**
 * A transaction for work that comes hundreds of times a second: without the Knex of its own that Knex makes for each
 * (two hundred members, most of which outlive the work), and with a begin that goes along with what is asked first.
 */
import type { Knex } from 'knex';
import type pg from 'pg';
import type { SqlRunner } from './connect.js';
import { makeTrip, type SentStatement, tellOf } from './trip.js';

export interface Beginning {
  /** For how long the transaction waits for a lock, ms; default: as long as it takes. */
  readonly lockTimeoutMs?: number;
}

/** The rows of each statement. */
type Answers = readonly (readonly unknown[])[];

export interface Transaction extends SqlRunner {
  /** Sends the statements in one go. */
  send(statements: readonly SentStatement[]): Promise<Answers>;
  /** The same with the commit behind them. The transaction is over then, also when that fails. */
  sendAndCommit(statements: readonly SentStatement[]): Promise<Answers>;
  /** Does nothing when it is over. */
  rollback(): Promise<void>;
}

/** What Knex needs of a connection, and pg keeps of it. */
interface Connection extends pg.ClientBase {
  readonly __knexUid: string;
  /** Set: Knex hands it out no more. */
  __knex__disposed?: unknown;
  readonly connection: { readonly stream: { destroy(error: Error): void } };
}

const fixed = (name: string, text: string): SentStatement => ({ name, text, values: [], hasAnswer: false });

const BEGIN = fixed('begin', 'begin');
const COMMIT = fixed('commit', 'commit');
const ROLLBACK = fixed('rollback', 'rollback');

/** @throws when there is no connection; what the begin fails of whoever asks first is told */
export async function beginAlong(db: Knex, { lockTimeoutMs }: Beginning = {}): Promise<Transaction> {
  const connection: Connection = await db.client.acquireConnection();
  const locks = lockTimeoutMs === undefined ? [] : [lockTimeout(lockTimeoutMs)];
  let unsent: readonly SentStatement[] = [BEGIN, ...locks];
  let failure: { readonly error: unknown } | undefined;
  let isOver = false;

  function check(): void {
    if (failure) throw failure.error;
    if (isOver) throw new Error('The transaction is over.');
  }

  async function send(statements: readonly SentStatement[]) {
    check();
    const all = [...unsent, ...statements];
    const added = unsent.length;
    tellOf(db, all);
    unsent = [];
    try {
      const { rows, tag } = await makeTrip(connection, all);
      return { rows: rows.slice(added), tag };
    } catch (error) {
      failure ??= { error };
      throw error;
    }
  }

  async function end(): Promise<void> {
    isOver = true;
    if (connection.getTransactionStatus() !== 'I') discard(connection);
    await db.client.releaseConnection(connection);
  }

  async function rollback(): Promise<void> {
    if (isOver) return;
    isOver = true;
    if (unsent.length === 0) await makeTrip(connection, [ROLLBACK]).catch(() => undefined);
    await end();
  }

  /** For Knex, which sends without asking us. */
  const guarded: Pick<Connection, '__knexUid' | 'query'> = {
    __knexUid: connection.__knexUid,
    query: ((...query: Parameters<typeof connection.query>) => {
      check();
      // Should it fail, that stands alone; the commit is refused then.
      if (unsent.length > 0) send([]).catch(() => undefined);
      return connection.query(...query);
    }) as Connection['query'],
  };

  return {
    raw: ((...raw: Parameters<Knex['raw']>) => db.raw(...raw).connection(guarded)) as Knex['raw'],
    send: async (statements) => (await send(statements)).rows,
    async sendAndCommit(statements) {
      try {
        const { rows, tag } = await send([...statements, COMMIT]);
        // The server makes a rollback of the commit of what has failed before.
        if (tag !== 'COMMIT') throw new Error('The transaction was rolled back.');
        await end();
        return rows.slice(0, -1);
      } catch (error) {
        await rollback();
        throw error;
      }
    },
    rollback,
  };
}

function lockTimeout(ms: number): SentStatement {
  const whole = Math.round(ms);
  return fixed(`lock_timeout_${whole}`, `set local lock_timeout = ${whole}`);
}

/** One that is lost, or on which the transaction could not be ended. */
function discard(connection: Connection): void {
  const error = new Error('The database connection was left in a transaction.');
  connection.__knex__disposed ??= error;
  connection.connection.stream.destroy(error);
}
