/**
 * Statements as values, to be run alone or together. On the way of a lone webhook the trips to the server and back
 * cost more than what is done there: what does not need the answer of what stands before it goes along with it.
 */
import type { Knex } from 'knex';
import type pg from 'pg';
import type { Db } from './connect.js';

export interface Statement<T = unknown> {
  /** Under which each connection keeps its plan: for a text that never varies and leaves the planner no choice. */
  readonly name?: string;
  /** With `?` for each binding. */
  readonly sql: string;
  readonly bindings: readonly unknown[];
  /** What the rows of the answer say. */
  read(rows: readonly unknown[]): T;
}

/** A statement without an answer. */
export const command = (statement: Omit<Statement, 'read'>): Statement<void> => ({
  ...statement,
  read: () => undefined,
});

type Answers<S extends readonly Statement[]> = {
  -readonly [K in keyof S]: S[K] extends Statement<infer T> ? T : never;
};

export async function run<T>(db: Db, { name, sql, bindings, read }: Statement<T>): Promise<T> {
  const query = db.raw<{ rows: unknown[] }>(sql, bindings as Knex.RawBinding[]);
  return read((await (name === undefined ? query : query.options({ name }))).rows);
}

/** A transaction that has begun. @throws what the beginning failed with: Knex hands one that did not out as any other */
export async function begin(db: Knex): Promise<Knex.Transaction> {
  const tx = await db.transaction();
  if (tx.isCompleted()) await tx.executionPromise;
  return tx;
}

export interface Beginning {
  /** For how long the transaction waits for a lock, ms; default: as long as it takes. */
  readonly lockTimeoutMs?: number;
}

/**
 * The same, but the begin is on its way only: what is sent first goes along with it. Should the begin fail, that stands
 * alone, and whatever comes after it is refused: for work that begins with reading, or with locks of the transaction.
 */
export function beginAlong(db: Knex, { lockTimeoutMs }: Beginning = {}): Promise<Knex.Transaction> {
  const settings = lockTimeoutMs === undefined ? '' : ` SET LOCAL lock_timeout = ${lockTimeoutMs};`;
  return new Promise((resolve, reject) => {
    const transaction = db.client.transaction(resolve, { userParams: {}, doNotRejectOnRollback: true });
    transaction.begin = async (connection: unknown): Promise<void> => {
      // Knex begins when it has a connection, and keeps the failure as that of the transaction.
      void transaction.query(connection, `BEGIN;${settings}`);
    };
    transaction.catch(reject);
  });
}

/**
 * Sends the statements in one go; the server runs them one after another, each on what was committed when it began.
 * When one fails, those after it are not run, and the transaction can only be rolled back.
 */
export async function runTogether<const S extends readonly Statement[]>(tx: Db, statements: S): Promise<Answers<S>> {
  const connection = await connectionOf(tx);
  return (await allOf(statements.map((statement) => send(connection, statement)))) as Answers<S>;
}

/**
 * Sends the statements and the commit in one go. Resolves when all of it is durable; when a statement fails, the server
 * makes a rollback of the commit.
 */
export async function commitTogether<const S extends readonly Statement[]>(
  tx: Knex.Transaction,
  statements: S,
): Promise<Answers<S>> {
  const connection = await connectionOf(tx);
  const answers = statements.map((statement) => send(connection, statement));
  // After the statements, for a connection sends what it is given in that order. What `commit` answers says nothing of
  // a commit that failed, the transaction's own promise does.
  void tx.commit();
  return (await allOf([...answers, tx.executionPromise])).slice(0, -1) as Answers<S>;
}

/** The transaction's own connection. @throws when the transaction is over, with what it failed of, or is none */
async function connectionOf(tx: Db): Promise<pg.Client> {
  if (!tx.isTransaction) throw new Error('This is no transaction.');
  if ((tx as Knex.Transaction).isCompleted()) {
    await (tx as Knex.Transaction).executionPromise;
    throw new Error('The transaction is over.');
  }
  return tx.client.acquireConnection();
}

async function send<T>(connection: pg.Client, { name, sql, bindings, read }: Statement<T>): Promise<T> {
  const text = positioned(sql);
  const { rows } = await connection.query({ ...(name !== undefined && { name }), text, values: [...bindings] });
  return read(rows);
}

/** Waits for all, so that nothing is under way any more when it fails; the first failure is the cause of the others. */
async function allOf<T>(answers: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(answers);
  return settled.map((answer) => {
    if (answer.status === 'rejected') throw answer.reason;
    return answer.value;
  });
}

const positionedTexts = new Map<string, string>();

/** `$1`, `$2`, … as PostgreSQL wants them. */
function positioned(sql: string): string {
  const known = positionedTexts.get(sql);
  if (known !== undefined) return known;
  let place = 0;
  const text = sql.replaceAll('?', () => {
    place += 1;
    return `$${place}`;
  });
  positionedTexts.set(sql, text);
  return text;
}
